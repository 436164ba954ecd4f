/** How the effects of one kind are delivered. */
import type { Effect } from '../contracts/effect.ts'
import { TidemarkError } from '../errors.ts'

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
  /** An effect whose delivery failed so often is dead. Default 20: with the waits between them, two and a half to five hours. */
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
  /** Writes that are committed together with a dead letter, so that no row claims what did not happen. Called synchronously. */
  readonly onDead?: (effect: Effect, error: unknown, to: W) => void
}

export interface Delivery<W> extends Required<Omit<HandleOptions<W>, 'onDead' | 'lanes'>> {
  readonly lanes: number | undefined
  readonly onDead: ((effect: Effect, error: unknown, to: W) => void) | undefined
}

const defaults = Object.freeze({
  batch: 64,
  concurrency: 'adaptive' as const,
  timeoutMs: 60_000,
  maxAttempts: 20,
  retryFirstMs: 1_000,
  retryMaxMs: 1_800_000,
  leaseMs: 30_000,
  lanes: undefined,
  pollMs: 1_000,
  onDead: undefined,
})

const wholeNumbers = [
  'batch',
  'timeoutMs',
  'maxAttempts',
  'retryFirstMs',
  'retryMaxMs',
  'leaseMs',
  'pollMs',
] as const

/** What `setTimeout` takes. */
const longestMs = 2 ** 31 - 1
const mostLanes = 256

/** @throws TidemarkError `INVALID_OPTIONS`, naming every problem */
export function parseHandleOptions<W>(given: HandleOptions<W> = {}): Delivery<W> {
  const options = { ...defaults, ...given }
  const problems = Object.keys(given)
    .filter((name) => !(name in defaults))
    .map((name) => `${name} is not an option (options: ${Object.keys(defaults).join(', ')})`)
  for (const name of wholeNumbers) problems.push(...notWhole(name, options[name], longestMs))
  if (options.concurrency !== 'adaptive')
    problems.push(...notWhole('concurrency', options.concurrency, 10_000))
  if (options.lanes !== undefined) problems.push(...notWhole('lanes', options.lanes, mostLanes))
  if (options.onDead !== undefined && typeof options.onDead !== 'function')
    problems.push('onDead must be a function')
  if (problems.length === 0) return options
  throw new TidemarkError('INVALID_OPTIONS', `the options of handle() are wrong: ${problems.join('; ')}.`)
}

function notWhole(name: string, value: unknown, most: number): string[] {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return []
  return [`${name} must be a whole number from 1 to ${most}, not ${String(value)}`]
}
