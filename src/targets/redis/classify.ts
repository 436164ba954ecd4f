/** What Redis means by an error: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
export type RedisFailure = 'refused' | 'overload' | 'transient'

/** What stands at the key is of another type, or the key is on another server: it is the same the next time. */
const refusals = /(?:^|\B-)(?:WRONGTYPE|CROSSSLOT)\b/
/** Its memory is full, or a script keeps it busy. */
const overloads = /(?:^|\B-)(?:OOM|BUSY|TRYAGAIN)\b|max number of clients/

/**
 * Without a reply the server is not there, whatever the client says of that. A reply that is not known is tried again:
 * LOADING, READONLY, CLUSTERDOWN, MASTERDOWN and MISCONF pass, and a wrong password or a forbidden command is mended for
 * all effects at once. Servers before 7 put the code of an error inside of a script behind words of their own.
 */
export function classifyRedisError(error: unknown): RedisFailure {
  const { message = '', name = '' } = error as Partial<Error>
  if (name !== 'ReplyError') return 'overload'
  if (refusals.test(message)) return 'refused'
  return overloads.test(message) ? 'overload' : 'transient'
}
