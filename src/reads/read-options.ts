/** What a read asks for, checked at the call: every problem at once, an unknown option is one. */
import type { RowKey } from '../contracts/processor.ts'
import { TidemarkError } from '../errors.ts'
import type { WaitLimits } from './deadline.ts'

/**
 * - `eventual`: some committed prefix; never waits.
 * - `readAfterWrite`: everything that the session, or `after`, knows of; without either, all that this engine had
 *   accepted.
 * - `strong`: all that this engine had accepted when the read began, and all that any writer had committed.
 */
export type Consistency = 'eventual' | 'readAfterWrite' | 'strong'

/** A row, named by its table and key. */
export type TableKey = readonly [table: string, key: RowKey]

export interface WaitOptions {
  /** How long it may wait, in ms, before it fails with `StaleReadError`. Default: the engine's `reads.timeoutMs`. */
  readonly timeoutMs?: number
  /** Ends the wait, with a `StaleReadError` whose cause is the signal's reason. */
  readonly signal?: AbortSignal
}

export interface ReadOptions extends WaitOptions {
  /**
   * Default: the engine's `reads.consistency`, `eventual` unless it says otherwise; with `after`, and in a session, at
   * least `readAfterWrite`.
   */
  readonly consistency?: Consistency
  /** Bookmarks whose positions the read must include. Not with `eventual`, which waits for nothing. */
  readonly after?: string | readonly string[]
  /**
   * `replica`: on a server that follows the database, once that has come as far as the read must have seen. Default
   * `primary`. Where none comes so far in time the store's options say what becomes of the read.
   */
  readonly from?: 'primary' | 'replica'
  /** The rows whose processors a strong read waits for, and whose pending work `db.query` tells of. */
  readonly keys?: readonly TableKey[]
  /**
   * Names of processors to wait for. Default: `strong` waits for all that the engine follows, `readAfterWrite` for
   * none.
   */
  readonly processors?: readonly string[]
}

/** A read's options as they will be used. */
export interface ReadPlan extends WaitLimits {
  readonly level: Consistency
  readonly after: readonly string[]
  readonly from: 'primary' | 'replica'
  readonly keys: readonly TableKey[]
  /** Undefined: all. */
  readonly processors: readonly string[] | undefined
}

export interface ReadDefaults {
  readonly consistency: Consistency
  readonly timeoutMs: number
}

const LEVELS: readonly Consistency[] = ['eventual', 'readAfterWrite', 'strong']
const known = ['consistency', 'after', 'from', 'keys', 'processors', 'timeoutMs', 'signal']

/** @throws TidemarkError `INVALID_CALL`, naming every problem */
export function parseRead(given: Consistency | ReadOptions | undefined, defaults: ReadDefaults): ReadPlan {
  const options: ReadOptions = typeof given === 'string' ? { consistency: given } : (given ?? {})
  if (typeof options !== 'object') throw invalidRead([`it takes a level or options, not a ${typeof given}`])
  const { after = [], from = 'primary', keys = [], processors } = options
  const bookmarks = typeof after === 'string' ? [after] : after
  // A bookmark says already that the read has to include it.
  const least =
    defaults.consistency === 'eventual' && hasSome(bookmarks) ? 'readAfterWrite' : defaults.consistency
  const level = options.consistency ?? least
  const problems = Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `${name} is not an option (options: ${known.join(', ')})`)
  if (!LEVELS.includes(level))
    problems.push(`no consistency level ${JSON.stringify(level)} (levels: ${LEVELS.join(', ')})`)
  if (!Array.isArray(bookmarks)) problems.push('`after` is a bookmark or a list of bookmarks')
  if (from !== 'primary' && from !== 'replica')
    problems.push(`from must be 'primary' or 'replica', not ${JSON.stringify(from)}`)
  if (level === 'eventual') {
    if (hasSome(bookmarks))
      problems.push('`after` goes with readAfterWrite or strong: eventual waits for nothing')
    if (processors) problems.push('`processors` go with readAfterWrite or strong: eventual waits for nothing')
  }
  if (
    processors !== undefined &&
    !(Array.isArray(processors) && processors.every((name) => typeof name === 'string'))
  )
    problems.push('`processors` is a list of names')
  if (!Array.isArray(keys) || !keys.every(isTableKey))
    problems.push("`keys` is a list of [table, key], such as [['files', { path }]]")
  const limits = parseLimits(options, defaults, problems)
  if (problems.length > 0) throw invalidRead(problems)
  return {
    level,
    after: bookmarks,
    from,
    keys,
    processors: processors ?? (level === 'strong' ? undefined : []),
    ...limits,
  }
}

/** @throws TidemarkError `INVALID_CALL` */
export function parseWait(given: WaitOptions, defaults: ReadDefaults): WaitLimits {
  const problems: string[] = []
  const limits = parseLimits(given, defaults, problems)
  if (problems.length > 0) throw invalidRead(problems)
  return limits
}

function invalidRead(problems: readonly string[]): TidemarkError {
  return new TidemarkError('INVALID_CALL', `this read cannot be made: ${problems.join('; ')}.`)
}

function parseLimits(
  { timeoutMs, signal }: WaitOptions,
  defaults: ReadDefaults,
  problems: string[],
): WaitLimits {
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0))
    problems.push(`timeoutMs must be a number of at least 0, not ${String(timeoutMs)}`)
  if (signal !== undefined && !(signal instanceof AbortSignal)) problems.push('signal must be an AbortSignal')
  return { timeoutMs: timeoutMs ?? defaults.timeoutMs, signal }
}

function isTableKey(given: unknown): boolean {
  const [table, key] = Array.isArray(given) ? (given as unknown[]) : []
  return typeof table === 'string' && typeof key === 'object' && key !== null
}

function hasSome(bookmarks: unknown): boolean {
  return Array.isArray(bookmarks) && bookmarks.length > 0
}
