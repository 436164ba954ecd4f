/**
 * Requests to the LLM and its replies, in Redis. Each step that must not be done in part is one script or transaction there.
 *
 *   ask ──▶ stream of requests ──▶ taken by a worker ──▶ reply: kept under the request's id, and published
 *            (one that a dead worker holds is given out again)
 *
 * A request is asked under the id of its effect, so a second attempt finds what the first one asked for: a reply that came
 * after its timeout, or the request still on its way. Redis may forget all of it: then the next attempt asks anew.
 */
import { Redis } from 'ioredis'

export type Reply =
  | { readonly kind: 'done'; readonly summary: string; readonly topics: readonly string[] }
  /** Too much at once: HTTP would say 429. */
  | { readonly kind: 'refused'; readonly retryAfterMs: number }
  /** It takes nothing at all: HTTP would say 503. */
  | { readonly kind: 'out' }
  | { readonly kind: 'failed'; readonly error: string }

export interface Request {
  /** Of the stream. */
  readonly entry: string
  readonly id: string
  readonly prompt: string
}

export interface Published {
  readonly id: string
  readonly reply: Reply
}

/** Counted in Redis, by whoever sees it. */
export type Count = 'asked' | 'calls' | 'refused' | 'out' | 'failed' | 'late' | 'taken over' | 'polled'

export const names = {
  requests: 'llm:requests',
  group: 'llm',
  replies: 'llm:replies',
  counts: 'llm:counts',
  asked: (id: string): string => `llm:asked:${id}`,
  reply: (id: string): string => `llm:reply:${id}`,
}

/** How long a reply is kept for an attempt that comes later; and how long a request counts as asked. */
export const keptMs = 3_600_000

/**
 * KEYS: the reply, the mark that it was asked, the stream. ARGV: id, prompt, how long the mark lives.
 * Gives the reply if it is there and good; else whether it was asked for now, and not before. A reply that is not good is used
 * up, and asked for again.
 */
const askScript = `
local reply = redis.call('GET', KEYS[1])
if reply then
  if cjson.decode(reply).kind == 'done' then return reply end
  redis.call('DEL', KEYS[1], KEYS[2])
end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[3]) then
  redis.call('XADD', KEYS[3], '*', 'id', ARGV[1], 'prompt', ARGV[2])
  redis.call('HINCRBY', 'llm:counts', 'asked', 1)
  return 1
end
return 0
`

/** What is not sent at once is told at once: effects and workers come again by themselves. */
export function connect(url: string): Redis {
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(500, times * 50),
  })
  client.on('error', () => undefined)
  return client
}

export interface Asked {
  /** Undefined: it is on its way. */
  readonly reply: Reply | undefined
  /** An attempt before this one had asked. */
  readonly isAgain: boolean
}

export async function ask(client: Redis, id: string, prompt: string): Promise<Asked> {
  const keys = [names.reply(id), names.asked(id), names.requests]
  const found: unknown = await client.eval(askScript, keys.length, ...keys, id, prompt, keptMs)
  const reply = typeof found === 'string' ? (JSON.parse(found) as Reply) : undefined
  return { reply, isAgain: found !== 1 }
}

/** The reply is kept, published, and its request is over: all or nothing. */
export async function answer(client: Redis, { entry, id }: Request, reply: Reply): Promise<void> {
  const published: Published = { id, reply }
  const results = await client
    .multi()
    .set(names.reply(id), JSON.stringify(reply), 'PX', keptMs)
    .xack(names.requests, names.group, entry)
    .xdel(names.requests, entry)
    .publish(names.replies, JSON.stringify(published))
    .exec()
  for (const [error] of results ?? []) if (error !== null) throw error
}

export async function count(client: Redis, what: Count, by = 1): Promise<void> {
  await client.hincrby(names.counts, what, by).catch(() => undefined)
}

export async function counts(client: Redis): Promise<Readonly<Record<string, number>>> {
  const all = await client.hgetall(names.counts)
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, Number(value)]))
}
