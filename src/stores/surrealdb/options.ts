import type { AuthProvider } from 'surrealdb'
import { TidemarkError } from '../../errors.ts'

export interface SurrealOptions {
  /** Default `tidemark`. */
  readonly namespace?: string
  /** Default `tidemark`. */
  readonly database?: string
  /**
   * Tables whose rows get the next whole number as their key where they come without one. Who inserts rows there by other
   * ways takes numbers with `fn::tidemark_id("table")`. Default none: rows without an `id` get one of SurrealDB's.
   */
  readonly numbered?: readonly string[]
  /** Who signs in to a server, as the client's `connect` takes it. An embedded engine asks nobody. */
  readonly authentication?: AuthProvider
}

export const SURREAL_DEFAULTS: Readonly<Required<Omit<SurrealOptions, 'authentication'>>> = Object.freeze({
  namespace: 'tidemark',
  database: 'tidemark',
  numbered: [],
})

export type SurrealSettings = typeof SURREAL_DEFAULTS & Pick<SurrealOptions, 'authentication'>

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseSurrealOptions(given: SurrealOptions = {}): SurrealSettings {
  const problems = Object.keys(given)
    .filter((key) => !(key in SURREAL_DEFAULTS) && key !== 'authentication')
    .map((key) => `${key} is not an option (options: namespace, database, numbered, authentication)`)
  const settings = { ...SURREAL_DEFAULTS, ...given }
  for (const key of ['namespace', 'database'] as const)
    if (typeof settings[key] !== 'string' || settings[key] === '')
      problems.push(`${key} must be a name, not ${settings[key]}`)
  if (!Array.isArray(settings.numbered)) problems.push('numbered must be a list of tables')
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options: ${problems.join('; ')}.`)
  return settings
}
