import { Redis } from 'ioredis'
import type { Target } from '../../contracts/effect.ts'
import { TidemarkError } from '../../errors.ts'
import { systemRuntime } from '../../runtime/system.ts'
import type { RedisCache } from './cache.ts'
import { parseRedisOptions, type RedisSettings, type RedisTargetOptions } from './options.ts'
import { RedisTarget } from './target.ts'

export type { FillOptions, Lookup, RedisCache } from './cache.ts'
export { REDIS_DEFAULTS, type RedisTargetOptions } from './options.ts'
export type { RedisPayload } from './payload.ts'

/**
 * Effects into a Redis server (6.2 or newer), or Valkey, through `ioredis`, which is installed beside:
 * `npm install ioredis`. What an effect asks for is its payload, a `RedisPayload`.
 *
 * - A batch is one round trip; each effect has its own outcome.
 * - A version fence beside each key: an effect that comes late, again or out of turn changes nothing. It is as safe as
 *   Redis keeps it: a server that forgets keys (eviction, a restart without persistence, a failover) forgets fences.
 * - `cache` reads what the effects invalidate, and never puts an older row back.
 *
 * @param to `redis://user:password@host:port/database`, also `rediss:`; or a connection of your own, which `close`
 *   leaves open. Clusters are refused.
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function redis(
  to: string | Redis,
  options: RedisTargetOptions = {},
): Target & { readonly cache: RedisCache } {
  const settings = parseRedisOptions(options)
  if (typeof to === 'string') return ofUrl(to, settings)
  if (typeof to?.pipeline !== 'function' || to.isCluster) {
    throw new TidemarkError(
      'INVALID_OPTIONS',
      'redis() needs a URL, such as redis://localhost:6379, or a Redis of ioredis; clusters are not supported.',
    )
  }
  const { host, port, path, db } = to.options
  const name = `redis ${path ?? `${host}:${port}`}/${db ?? 0}`
  return new RedisTarget(name, to, settings, systemRuntime)
}

function ofUrl(given: string, settings: RedisSettings): RedisTarget {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^rediss?:$/.test(url.protocol)) {
    // It may hold a password, so it is not shown.
    throw new TidemarkError('INVALID_OPTIONS', 'redis() needs a URL, such as redis://localhost:6379.')
  }
  const client = new Redis(given, {
    lazyConnect: true,
    // What could not be sent is told at once and comes again by its effect, instead of from a queue of this client.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: settings.timeoutMs,
  })
  // Each command tells its own failure; without anybody who listens the client would print them.
  client.on('error', () => undefined)
  return new RedisTarget(`redis ${url.host}${url.pathname}`, client, settings, systemRuntime, () =>
    client.disconnect(),
  )
}
