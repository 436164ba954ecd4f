/** `GET /v1/logs/tail`: the entries that match, from one on or from now on, each once and in the order of their ids. */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { LogStore, Filter } from '../../logs/index.ts'
import { hangUpOf, onceOver } from '../hang-up.ts'
import type { LogContext } from '../context.ts'
import { attributeProperties, filterOf, filterProperties, type FilterQuery } from '../log-query.ts'
import { RequestError } from '../request-error.ts'
import { eventStream, type SseEvent } from '../sse.ts'

export function registerTail(app: FastifyInstance, context: LogContext): void {
  const { logs, limits, metrics, readiness, runtime } = context
  app.get<{ Querystring: FilterQuery & { after?: number } }>(
    '/v1/logs/tail',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Follow the logs as server-sent events',
        description:
          'Events `entry` with the id and the JSON of an entry. A client that comes again with Last-Event-ID misses none and gets none twice. `end`: the server is ending.',
        tags: ['logs'],
        headers: { type: 'object', properties: { 'last-event-id': { type: 'string' } } },
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            ...filterProperties,
            after: {
              type: 'integer',
              minimum: 0,
              description: 'Entries behind this id; without it, those from now on',
            },
          },
          patternProperties: attributeProperties,
        },
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        },
      },
    },
    async (request, reply) => {
      if (metrics.tails >= limits.tails)
        throw new RequestError('TOO_MANY_TAILS', `This server keeps ${limits.tails} tails at once.`, {
          retryAfterMs: 5_000,
        })
      onceOver(reply, metrics.openTail())
      const known = lastEventId(request.headers['last-event-id']) ?? request.query.after
      // Now is when the answer begins: what is written after that is not missed.
      const after = known ?? (await logs.status()).newestId
      const filter = filterOf(request.query)
      const following = {
        follow: (signal: AbortSignal) => entriesOf(logs, filter, after, signal),
        gone: hangUpOf(reply),
        ending: readiness.ending,
      }
      const stream = Readable.from(eventStream(following, runtime), {
        objectMode: false,
        highWaterMark: 65_536,
      })
      return await reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(stream)
    },
  )
}

async function* entriesOf(
  logs: LogStore,
  filter: Filter,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<SseEvent, void, undefined> {
  const entries = logs.subscribe({
    when: 'committed',
    ...filter,
    signal,
    after,
  })
  for await (const entry of entries) yield { event: 'entry', id: entry.id, data: entry }
}

/** @throws RequestError for what was never an id of ours */
function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  const id = Number(header)
  if (typeof header !== 'string' || !/^\d{1,16}$/.test(header) || !Number.isSafeInteger(id))
    throw new RequestError('BAD_REQUEST', 'Last-Event-ID is the id of an entry.')
  return id
}
