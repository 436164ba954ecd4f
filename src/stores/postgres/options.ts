import type { ConnectionOptions } from 'node:tls'
import { TidemarkError } from '../../errors.ts'
import { wholeTo, type Check } from '../../options.ts'
import { isAddress } from './address.ts'

/** How the PostgreSQL store sets its connections. What it relies on is set for each of them, none is left to chance. */
export interface PostgresOptions {
  /**
   * What an acknowledged write survives, in PostgreSQL's own words: `on` (default) a crash of the server, and where
   * `synchronous_standby_names` is set, its loss; `remote_apply` lets a replica show it at once; `remote_write` and
   * `local` wait for less; `off` for nothing: a crash of the server loses the newest commits, which stops the engine
   * with `HISTORY_LOST`. See https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
   */
  readonly synchronousCommit?: 'on' | 'remote_apply' | 'remote_write' | 'local' | 'off'
  /** How long a connection may take to be made, in ms. Default 10,000. */
  readonly connectTimeoutMs?: number
  /**
   * How long the server may take to answer a statement before the connection is given up, in ms: what was sent is
   * then sought in the database. A statement that always takes longer never succeeds. Default 60,000.
   */
  readonly answerTimeoutMs?: number
  /**
   * After so long without a word from this process the server ends its transaction, in ms, so that a process which is
   * stopped in the middle of a commit does not hold its row for ever. Default 10,000.
   */
  readonly idleInTransactionTimeoutMs?: number
  /** As it appears in `pg_stat_activity`. Default `tidemark`. */
  readonly applicationName?: string
  /**
   * Connections for reads, to each server that is read. Up to `min` are made when they are needed; one more, up to `max`,
   * whenever a read has waited for 5 ms; those that nobody used for 10 s are ended. Default 2 and 10.
   */
  readonly readers?: { readonly min?: number; readonly max?: number }
  /**
   * URLs of servers that follow this one by streaming replication, for reads with `from: 'replica'`. Default: none.
   */
  readonly replicas?: readonly string[]
  /** How long a read waits for a replica to come as far as it must have seen, in ms. Default 100. */
  readonly replicaWaitMs?: number
  /**
   * What becomes of a read then. `primary` (default): it is made there. `fail`: it goes on waiting, and fails with
   * `StaleReadError` at its timeout.
   */
  readonly replicaFallback?: 'primary' | 'fail'
  /** TLS, as `tls.connect` takes it; instead of `sslmode` in the URL. Default: what the URL says. */
  readonly tls?: boolean | ConnectionOptions
}

export interface PoolBounds {
  readonly min: number
  readonly max: number
}

export type PostgresSettings = Required<Omit<PostgresOptions, 'tls' | 'readers'>> & {
  readonly readers: PoolBounds
  readonly tls?: PostgresOptions['tls'] | undefined
}

export const POSTGRES_DEFAULTS: PostgresSettings = Object.freeze({
  synchronousCommit: 'on',
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 60_000,
  idleInTransactionTimeoutMs: 10_000,
  applicationName: 'tidemark',
  readers: Object.freeze({ min: 2, max: 10 }),
  replicas: Object.freeze([]),
  replicaWaitMs: 100,
  replicaFallback: 'primary',
  tls: undefined,
})

const levels: readonly unknown[] = ['on', 'remote_apply', 'remote_write', 'local', 'off']

const whole = wholeTo(2 ** 31 - 1)
const checks: { readonly [Name in keyof PostgresSettings]: Check } = {
  synchronousCommit: (value) => (levels.includes(value) ? undefined : `must be one of ${levels.join(', ')}`),
  connectTimeoutMs: whole,
  answerTimeoutMs: whole,
  idleInTransactionTimeoutMs: whole,
  readers: (value) => {
    if (typeof value !== 'object' || value === null) return 'must be an object with min and max'
    const unknown = Object.keys(value).find((name) => name !== 'min' && name !== 'max')
    if (unknown !== undefined) return `has min and max, and no ${unknown}`
    const { min, max } = boundsOf(value)
    if (whole(min) ?? whole(max)) return 'must have a min and a max that are whole numbers above 0'
    return min > max ? `must have a min of at most its max (${max})` : undefined
  },
  replicas: (value) =>
    Array.isArray(value) && value.every(isAddress) ? undefined : 'must be a list of URLs of PostgreSQL',
  replicaWaitMs: (value) =>
    typeof value === 'number' && value >= 0 ? undefined : 'must be a number of at least 0',
  replicaFallback: (value) =>
    value === 'primary' || value === 'fail' ? undefined : "must be 'primary' or 'fail'",
  applicationName: (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be a text'),
  tls: (value) =>
    typeof value === 'boolean' || (typeof value === 'object' && value !== null)
      ? undefined
      : 'must be a boolean or options of tls.connect',
}

/** @throws TidemarkError `INVALID_OPTIONS`, naming every problem */
export function parsePostgresOptions(given: PostgresOptions = {}): PostgresSettings {
  const problems: string[] = []
  for (const [name, value] of Object.entries(given)) {
    const check = (checks as Readonly<Record<string, Check>>)[name]
    if (check === undefined)
      problems.push(`${name} is not an option (options: ${Object.keys(checks).join(', ')})`)
    else if (value !== undefined) {
      const problem = check(value)
      if (problem !== undefined) problems.push(`${name} ${problem}, not ${kindOf(value) ?? String(value)}`)
    }
  }
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options: ${problems.join('; ')}.`)
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { ...POSTGRES_DEFAULTS, ...named, readers: boundsOf(given.readers ?? {}) }
}

/** One that is given alone moves the other where it stands in its way. */
function boundsOf({ min, max }: NonNullable<PostgresOptions['readers']>): PoolBounds {
  const { readers } = POSTGRES_DEFAULTS
  return {
    min: min ?? Math.min(readers.min, max ?? readers.min),
    max: max ?? Math.max(readers.max, min ?? readers.max),
  }
}

/** A list may hold URLs, and those a password: it is not shown. */
function kindOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return `this list of ${value.length}`
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : undefined
}
