/**
 * How the effects of a kind are recovered, as whoever started the server said: a client names the kind and sends no SQL.
 *
 * Owns: the turn of whoever asks for a recovery.
 * Keeps: law 7 (one recovery at a time, so however many ask, it takes one connection that reads, and no more).
 */
import { StoreError, TidemarkError, unprefixed } from '../errors.ts'
import type { EffectStats, RecoverOptions, Recovery } from '../index.ts'
import { isObject } from '../json-object.ts'
import { isKind, kindRule } from '../segments.ts'
import type { Engine } from './context.ts'
import { RequestError } from './request-error.ts'

/** By what the rows of a kind are found; at least one of them. */
export type RecoveryQueries = Pick<RecoverOptions, 'missing' | 'existing'>
type Given = Readonly<Record<string, RecoveryQueries>>

export class Recoveries {
  readonly #db: Engine
  readonly #queries: ReadonlyMap<string, RecoveryQueries>
  #turn: Promise<unknown> = Promise.resolve()

  constructor(db: Engine, given: Given = {}) {
    this.#db = db
    this.#queries = new Map(Object.entries(given))
  }

  get kinds(): string[] {
    return [...this.#queries.keys()]
  }

  has(kind: string): boolean {
    return this.#queries.has(kind)
  }

  /** What a client is told of a kind. */
  told(stats: EffectStats): EffectStats & { readonly canRecover: boolean } {
    return { ...stats, canRecover: this.has(stats.kind) }
  }

  /**
   * Runs when those before it are over; not at all when its client has gone by then.
   *
   * @throws RequestError `NOT_FOUND`; TidemarkError `QUERY_REFUSED`, as `db.effects.recover`
   */
  async run(
    kind: string,
    asked: Pick<RecoverOptions, 'dryRun' | 'limit'>,
    signal: AbortSignal,
  ): Promise<Recovery> {
    const queries = this.#queries.get(kind)
    if (queries === undefined)
      throw new RequestError('NOT_FOUND', 'Nobody has told this server how this kind is recovered.', {
        hint: 'Start it with `serve({ recover })` or `tidemark serve --recover FILE`; /v1/effects tells which kinds can be.',
      })
    const found = this.#turn.then(() => {
      signal.throwIfAborted()
      return this.#db.effects.recover(kind, { ...queries, ...asked })
    })
    this.#turn = found.catch(() => undefined)
    try {
      return await found
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== 'rejected') throw error
      const reason = unprefixed(error.message)
      throw new TidemarkError(
        'QUERY_REFUSED',
        `a query by which this server recovers "${kind}" cannot be run: ${reason}`,
        { cause: error },
      )
    }
  }
}

/** What is wrong with the option, each to be read alone. */
export function recoverProblems(given: unknown): string[] {
  if (given === undefined) return []
  if (!isObject(given)) return ['recover must be an object: of each kind, its queries']
  return Object.entries(given).flatMap(([kind, queries]) => {
    const name = `recover[${JSON.stringify(kind)}]`
    if (!isKind(kind)) return [`${name}: a kind ${kindRule}`]
    if (!isObject(queries)) return [`${name} must be an object with missing, existing or both`]
    return problemsOf(queries).map((problem) => `${name}${problem}`)
  })
}

function problemsOf({ missing, existing, ...others }: Readonly<Record<string, unknown>>): string[] {
  const problems = Object.keys(others).map((name) => `.${name} is not an option (options: missing, existing)`)
  if (missing === undefined && existing === undefined)
    problems.push(' must have missing, existing or both: else there is nothing to look for')
  if (missing !== undefined && !isQuery(missing))
    problems.push('.missing must be a query: { sql, parameters }, or one of Kysely')
  if (existing !== undefined && typeof existing !== 'function')
    problems.push('.existing must be a function that gives a query for keys')
  return problems
}

function isQuery(query: unknown): boolean {
  if (!isObject(query)) return false
  const { sql, parameters, compile } = query
  return typeof compile === 'function' || (typeof sql === 'string' && sql !== '' && Array.isArray(parameters))
}
