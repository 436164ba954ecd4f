/** What Redis means by an error: https://redis.io/docs/latest/develop/reference/errors/common/ */
export type RedisFailure = 'refused' | 'overload' | 'transient'

/** What stands at the key is of another type, or the key is on another server: it is the same the next time. */
const refusals = /(?:^|\B-)(?:WRONGTYPE|CROSSSLOT)\b/

/**
 * The server cannot now, whatever it is asked. By the page above: it reads its data (LOADING), is a replica (READONLY), or one
 * without its primary (MASTERDOWN); it has too few replicas (NOREPLICAS), or cannot save (MISCONF); its memory is full (OOM); a
 * script keeps it busy (BUSY); nobody serves the key's slot (CLUSTERDOWN), or it moves (TRYAGAIN). No effect is at
 * fault.
 */
const overloads =
  /(?:^|\B-)(?:LOADING|READONLY|MASTERDOWN|NOREPLICAS|MISCONF|OOM|BUSY|CLUSTERDOWN|TRYAGAIN)\b|max number of clients/

/**
 * Without a reply the server is not there, whatever the client says of that. A reply that is not known is tried again, and so
 * is a wrong password or a forbidden command, which no wait mends. Servers before 7 put the code of an error inside of a script
 * behind words of their own.
 */
export function classifyRedisError(error: unknown): RedisFailure {
  const { message = '', name = '' } = error as Partial<Error>
  if (name !== 'ReplyError') return 'overload'
  if (refusals.test(message)) return 'refused'
  return overloads.test(message) ? 'overload' : 'transient'
}
