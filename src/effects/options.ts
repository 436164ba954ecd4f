/** How the effects of one kind are delivered. */
import type { Effect } from '../contracts/effect.ts'
import { parseOptions, wholeTo, type Check } from '../options.ts'

/** @typeParam W the calls of an atomic group */
export interface HandleOptions<W> {
  /** Effects given to the handler at once, at most. Default 64. */
  readonly batch?: number
  /**
   * Calls of the handler under way at once, at most. `adaptive` (default): as many as the target takes, found out by its
   * answers, up to 64.
   */
  readonly concurrency?: number | 'adaptive'
  /** How long the handler has for one call, in ms, before its signal aborts and its effects are tried again. Default 60,000. */
  readonly timeoutMs?: number
  /**
   * An effect whose delivery failed so often is dead. Refusals of a target that may be down do not count. Default 20: with
   * the waits between them, two and a half to five hours.
   */
  readonly maxAttempts?: number
  /** The wait after the first failure, in ms; doubled at each further one, with jitter. Default 1,000. */
  readonly retryFirstMs?: number
  /** The longest wait, in ms. Default 1,800,000: half an hour. */
  readonly retryMaxMs?: number
  /** How long this engine may show no sign of life before another may deliver in its place, in ms. Default 30,000. */
  readonly leaseMs?: number
  /**
   * In how many lanes the keys of this kind are dealt out: so many engines can share its work. It is fixed when the kind
   * is handled for the first time. Default 1.
   */
  readonly lanes?: number
  /** How often to look for effects of other processes, in ms. Default 1,000. */
  readonly pollMs?: number
  /** What handlers give as `result` is kept so long, in ms. Default 604,800,000: a week. */
  readonly keepResultsMs?: number
  /** Dead effects are deleted after so long, in ms. Default never: they wait for a person to decide. */
  readonly keepDeadMs?: number
  /** Writes that are committed together with a dead letter, so that no row claims what did not happen. Called synchronously. */
  readonly onDead?: (effect: Effect, error: unknown, to: W) => void
}

type WithoutDefault = 'lanes' | 'keepDeadMs' | 'onDead'

/** Some only where they were given. */
export type Delivery<W> = Required<Omit<HandleOptions<W>, WithoutDefault>> &
  Pick<HandleOptions<W>, WithoutDefault>

const defaults = Object.freeze({
  batch: 64,
  concurrency: 'adaptive' as const,
  timeoutMs: 60_000,
  maxAttempts: 20,
  retryFirstMs: 1_000,
  retryMaxMs: 1_800_000,
  leaseMs: 30_000,
  pollMs: 1_000,
  keepResultsMs: 7 * 24 * 3_600_000,
})

/** The longest time that `setTimeout` takes, in ms. */
const bounded = wholeTo(2 ** 31 - 1)
const mostAtOnce = wholeTo(10_000)

const checks: { readonly [Name in keyof HandleOptions<unknown>]-?: Check } = {
  batch: bounded,
  concurrency: (value) => (value === 'adaptive' ? undefined : mostAtOnce(value)),
  timeoutMs: bounded,
  maxAttempts: bounded,
  retryFirstMs: bounded,
  retryMaxMs: bounded,
  leaseMs: bounded,
  lanes: wholeTo(256),
  pollMs: bounded,
  keepResultsMs: wholeTo(Number.MAX_SAFE_INTEGER),
  keepDeadMs: wholeTo(Number.MAX_SAFE_INTEGER),
  onDead: (value) => (typeof value === 'function' ? undefined : 'must be a function'),
}

/** @throws TidemarkError `INVALID_OPTIONS`, naming every problem */
export function parseHandleOptions<W>(given: HandleOptions<W> = {}): Delivery<W> {
  return parseOptions<Delivery<W>>('handle', given, checks, defaults, ['lanes', 'keepDeadMs', 'onDead'])
}
