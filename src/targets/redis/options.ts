import { parseOptions, whole, type Check } from '../../options.ts'

export interface RedisTargetOptions {
  /** Stands before every key. Default none. */
  readonly prefix?: string
  /** How long a delivery may take, in ms, before it is tried again. Default 5,000. */
  readonly timeoutMs?: number
  /** How long a reader waits for Redis before it goes to the database, in ms. Default 250. */
  readonly readTimeoutMs?: number
  /**
   * How long the version of a key is kept after its last change, in ms, and longer where its value lives longer. An
   * older effect that comes after that overwrites. Default one day.
   */
  readonly fenceMs?: number
  /** How long a value lives that a reader filled in, in ms. Default one hour. */
  readonly fillTtlMs?: number
}

export type RedisSettings = Required<RedisTargetOptions>

export const REDIS_DEFAULTS: RedisSettings = Object.freeze({
  prefix: '',
  timeoutMs: 5_000,
  readTimeoutMs: 250,
  fenceMs: 24 * 3_600_000,
  fillTtlMs: 3_600_000,
})

const anyText: Check = (value) => (typeof value === 'string' ? undefined : 'must be a text')

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseRedisOptions(given: RedisTargetOptions): RedisSettings {
  return parseOptions<RedisSettings>(
    'redis',
    given,
    { prefix: anyText, timeoutMs: whole, readTimeoutMs: whole, fenceMs: whole, fillTtlMs: whole },
    REDIS_DEFAULTS,
  )
}
