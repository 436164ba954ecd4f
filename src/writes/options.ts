/**
 * The options of `open`, checked together: every problem is told at once, and an unknown key is a problem.
 */
import type { WriterName } from '../contracts/position.ts'
import { TidemarkError } from '../errors.ts'

export interface OpenOptions {
  /** The writer's name, unique among the engines open at once: a newer engine of the same name fences this one. Default: a new name for each open. */
  readonly writer?: string
  readonly queue?: {
    /** Operations accepted and not yet committed. Default 10,000. */
    readonly maxOperations?: number
    /** The same in bytes, counted as two a character, the most it takes in memory. Default 32 MiB. */
    readonly maxBytes?: number
    /**
     * What a full queue does. `reject` (default): the call throws `QueueFullError`. `wait`: the call is
     * accepted and `receipt.accepted` resolves when there is room, so a producer that awaits it is slowed down;
     * at twice the limits it throws all the same.
     */
    readonly whenFull?: 'reject' | 'wait'
  }
  readonly batch?: {
    /** Operations in one transaction, at most a quarter of the queue's. Default 1,000. */
    readonly maxOperations?: number
    /** Bytes in one transaction, counted like the queue's. Default 8 MiB. */
    readonly maxBytes?: number
    /** How long a batch for which nobody waits may wait for company, in ms. Default 5. */
    readonly lingerMs?: number
    /** The least time between two commits, in ms. Default 0. */
    readonly minIntervalMs?: number
    /** Batches shrink until their transactions take no longer, in ms. Default 100. */
    readonly maxTransactionMs?: number
  }
  readonly retry?: {
    /** Stops the engine when the store was out of reach for so long, in ms. Default: never. */
    readonly giveUpAfterMs?: number
  }
  readonly reads?: {
    /** The level of `db.read()` without one. Default `eventual`. */
    readonly consistency?: 'eventual' | 'readAfterWrite' | 'strong'
    /** How long a read waits to become as fresh as it must be before it fails, in ms. Default 5,000. */
    readonly timeoutMs?: number
  }
  /**
   * Rows that follow from other rows, such as those of a full-text index: for a table, one statement that is run at
   * the end of every transaction that may have touched it, and committed with it. It is to write whatever is missing,
   * not only what follows from the newest rows: other writers do not run it, and when it fails, the rows are committed
   * without and `alert` says so. Not run in `transaction()`. SQLite stores only.
   *
   * `{ logs: 'INSERT INTO words SELECT … FROM logs WHERE id > (SELECT …) LIMIT 5000' }`
   */
  readonly derive?: Readonly<Record<string, string>>
  /**
   * Tables whose generated ids are known when a row is accepted: `receipt.id`. The engine reserves them ahead, twice as
   * many as the queue can hold, and what is left of them when it ends is never used: ids have gaps. Such a row is
   * inserted without an id of its own. SQLite: tables with `INTEGER PRIMARY KEY AUTOINCREMENT`; PostgreSQL: keys of a sequence. Default none.
   *
   * `{ songs: 'preallocated' }`
   */
  readonly ids?: Readonly<Record<string, 'preallocated'>>
  readonly live?: {
    /** Rows that live scopes may hold in memory. Default 1,000,000. */
    readonly maxRows?: number
    /** The same in bytes, counted like the queue's, with 200 for each row and 1,600 for each scope. Default 256 MiB. */
    readonly maxBytes?: number
  }
  /** `alert` is emitted when operations wait and none was committed for so long, in ms. Default 3,000. */
  readonly alertAfterMs?: number
}

export interface EngineOptions {
  readonly writer: WriterName | undefined
  readonly queue: {
    readonly maxOperations: number
    readonly maxBytes: number
    readonly whenFull: 'reject' | 'wait'
  }
  readonly batch: {
    readonly maxOperations: number
    readonly maxBytes: number
    readonly lingerMs: number
    readonly minIntervalMs: number
    readonly maxTransactionMs: number
  }
  readonly retry: { readonly giveUpAfterMs: number }
  readonly reads: {
    readonly consistency: 'eventual' | 'readAfterWrite' | 'strong'
    readonly timeoutMs: number
  }
  readonly derive: Readonly<Record<string, string>>
  readonly ids: Readonly<Record<string, 'preallocated'>>
  readonly live: { readonly maxRows: number; readonly maxBytes: number }
  readonly alertAfterMs: number
}

/** The least time after which a writer that commits nothing, although something is pending, may be taken for dead. */
const minLeaseMs = 30_000

/** How long an engine with these options may be silent and alive: it can let operations wait as long as they say. */
export function leaseOf({ batch: { lingerMs, minIntervalMs } }: EngineOptions): number {
  // Infinity is a linger too, and a number in the database.
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(minLeaseMs, 3 * lingerMs, 3 * minIntervalMs))
}

export const DEFAULTS: EngineOptions = Object.freeze({
  writer: undefined,
  queue: Object.freeze({ maxOperations: 10_000, maxBytes: 32 * 2 ** 20, whenFull: 'reject' as const }),
  batch: Object.freeze({
    maxOperations: 1_000,
    maxBytes: 8 * 2 ** 20,
    lingerMs: 5,
    minIntervalMs: 0,
    maxTransactionMs: 100,
  }),
  retry: Object.freeze({ giveUpAfterMs: Number.POSITIVE_INFINITY }),
  reads: Object.freeze({ consistency: 'eventual' as const, timeoutMs: 5_000 }),
  derive: Object.freeze({}),
  ids: Object.freeze({}),
  live: Object.freeze({ maxRows: 1_000_000, maxBytes: 256 * 2 ** 20 }),
  alertAfterMs: 3_000,
})

const levels: readonly unknown[] = ['eventual', 'readAfterWrite', 'strong']

/** The longest writer name, in characters. */
const maxWriterLength = 200

/** @throws TidemarkError `INVALID_OPTIONS`, naming every problem */
export function parseOptions(given: OpenOptions = {}): EngineOptions {
  const problems: string[] = []
  const options = objectOr({}, 'what is given to open()', given, problems)
  const merged = {
    ...DEFAULTS,
    ...options,
    queue: { ...DEFAULTS.queue, ...objectOr({}, 'queue', options.queue, problems) },
    batch: { ...DEFAULTS.batch, ...objectOr({}, 'batch', options.batch, problems) },
    retry: { ...DEFAULTS.retry, ...objectOr({}, 'retry', options.retry, problems) },
    reads: { ...DEFAULTS.reads, ...objectOr({}, 'reads', options.reads, problems) },
    derive: objectOr({}, 'derive', options.derive, problems),
    ids: objectOr({}, 'ids', options.ids, problems),
    live: { ...DEFAULTS.live, ...objectOr({}, 'live', options.live, problems) },
  }
  unknownKeys('', DEFAULTS, merged, problems)
  for (const group of ['queue', 'batch', 'retry', 'reads', 'live'] as const)
    unknownKeys(`${group}.`, DEFAULTS[group], merged[group], problems)

  const { queue, batch, writer } = merged
  wholeAbove(0, 'queue.maxOperations', queue.maxOperations, problems)
  wholeAbove(0, 'queue.maxBytes', queue.maxBytes, problems)
  wholeAbove(0, 'batch.maxOperations', batch.maxOperations, problems)
  wholeAbove(0, 'batch.maxBytes', batch.maxBytes, problems)
  atLeast(0, 'batch.lingerMs', batch.lingerMs, problems)
  atLeast(0, 'batch.minIntervalMs', batch.minIntervalMs, problems)
  atLeast(1, 'batch.maxTransactionMs', batch.maxTransactionMs, problems)
  atLeast(0, 'retry.giveUpAfterMs', merged.retry.giveUpAfterMs, problems)
  wholeAbove(0, 'live.maxRows', merged.live.maxRows, problems)
  wholeAbove(0, 'live.maxBytes', merged.live.maxBytes, problems)
  atLeast(0, 'reads.timeoutMs', merged.reads.timeoutMs, problems)
  if (!levels.includes(merged.reads.consistency))
    problems.push(
      `reads.consistency must be one of ${levels.join(', ')}, not ${show(merged.reads.consistency)}`,
    )
  atLeast(1, 'alertAfterMs', merged.alertAfterMs, problems)
  for (const [table, sql] of Object.entries(merged.derive))
    if (typeof sql !== 'string' || sql.trim() === '')
      problems.push(`derive.${table} must be one SQL statement, not ${show(sql)}`)
  for (const [table, how] of Object.entries(merged.ids))
    if (how !== 'preallocated') problems.push(`ids.${table} must be 'preallocated', not ${show(how)}`)
  if (queue.whenFull !== 'reject' && queue.whenFull !== 'wait')
    problems.push(`queue.whenFull must be 'reject' or 'wait', not ${show(queue.whenFull)}`)
  if (
    writer !== undefined &&
    (typeof writer !== 'string' || writer === '' || writer.length > maxWriterLength || !writer.isWellFormed())
  ) {
    problems.push(`writer must be a text of 1 to ${maxWriterLength} characters, not ${show(writer)}`)
  }
  if (problems.length > 0) throw invalidOptions(problems)
  return { ...merged, writer: writer as WriterName | undefined }
}

export function invalidOptions(problems: readonly string[]): TidemarkError {
  return new TidemarkError('INVALID_OPTIONS', `invalid options: ${problems.join('; ')}.`)
}

function objectOr<T extends object>(other: T, name: string, value: T | undefined, problems: string[]): T {
  if (typeof value === 'object' && value !== null) return value
  if (value !== undefined) problems.push(`${name} must be an object of options, not ${show(value)}`)
  return other
}

function unknownKeys(prefix: string, known: object, given: object, problems: string[]): void {
  for (const key of Object.keys(given)) {
    if (!(key in known))
      problems.push(`${prefix}${key} is not an option (options: ${Object.keys(known).join(', ')})`)
  }
}

function wholeAbove(least: number, name: string, value: unknown, problems: string[]): void {
  if (!Number.isSafeInteger(value) || (value as number) <= least)
    problems.push(`${name} must be a whole number above ${least}, not ${show(value)}`)
}

function atLeast(least: number, name: string, value: unknown, problems: string[]): void {
  if (typeof value !== 'number' || Number.isNaN(value) || value < least)
    problems.push(`${name} must be a number of at least ${least}, not ${show(value)}`)
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
