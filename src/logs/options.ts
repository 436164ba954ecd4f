/** The options of a log store: those of the engine, with other defaults, and a few of its own. */
import { TidemarkError } from '../errors.ts'
import type { OpenOptions } from '../writes/options.ts'
import type { Retention } from './retention.ts'

export interface LogsOptions extends OpenOptions {
  /** Default `logs`. */
  readonly table?: string
  /** What is deleted by itself, looked at every `everyMs` (default 5,000). Default: nothing is. */
  readonly retention?: Retention & { readonly everyMs?: number }
}

/**
 * What differs from the engine's defaults: 100 rows or 100 ms to a batch, 10,000 in the queue. Whoever awaits a
 * receipt, follows the log or reads `strong` ends the linger, so only what nobody waits for waits so long.
 */
export const LOG_DEFAULTS: {
  readonly table: string
  readonly batch: { readonly maxOperations: number; readonly lingerMs: number }
  readonly queue: { readonly maxOperations: number }
  readonly retention: { readonly everyMs: number }
} = Object.freeze({
  table: 'logs',
  batch: Object.freeze({ maxOperations: 100, lingerMs: 100 }),
  queue: Object.freeze({ maxOperations: 10_000 }),
  retention: Object.freeze({ everyMs: 5_000 }),
})

export interface LogSettings {
  readonly table: string
  readonly retention: Retention & { readonly everyMs: number }
  readonly engine: OpenOptions
}

/** @throws TidemarkError `INVALID_OPTIONS`, naming every problem with what is not the engine's */
export function parseLogsOptions(given: LogsOptions = {}): LogSettings {
  const { table = LOG_DEFAULTS.table, retention = {}, ...engine } = given
  const problems: string[] = []
  if (typeof table !== 'string' || table === '' || /^(tidemark|sqlite)_/i.test(table))
    problems.push(`table must be the name of a table, not ${JSON.stringify(table)}`)
  const merged = { ...LOG_DEFAULTS.retention, ...retention }
  for (const name of Object.keys(merged))
    if (!['maxAgeMs', 'maxBytes', 'everyMs'].includes(name))
      problems.push(`retention.${name} is not an option (options: maxAgeMs, maxBytes, everyMs)`)
  problems.push(...problemsOf('retention.', merged))
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options: ${problems.join('; ')}.`)
  return {
    table,
    retention: merged,
    engine: {
      ...engine,
      batch: { ...LOG_DEFAULTS.batch, ...engine.batch },
      queue: { ...LOG_DEFAULTS.queue, ...engine.queue },
    },
  }
}

/** @throws TidemarkError `INVALID_CALL` */
export function checkRetention(policy: Retention): void {
  const problems = problemsOf('', policy)
  if (policy.maxAgeMs === undefined && policy.maxBytes === undefined)
    problems.push('it needs maxAgeMs or maxBytes')
  if (problems.length > 0)
    throw new TidemarkError('INVALID_CALL', `this is no retention: ${problems.join('; ')}.`)
}

function problemsOf(prefix: string, policy: Retention & { readonly everyMs?: number }): string[] {
  return Object.entries({
    maxAgeMs: policy.maxAgeMs,
    maxBytes: policy.maxBytes,
    everyMs: policy.everyMs,
  }).flatMap(([name, value]) =>
    value === undefined || (typeof value === 'number' && value > 0)
      ? []
      : [`${prefix}${name} must be a number above 0, not ${String(value)}`],
  )
}
