/** Logs out: the newest, those that are searched for, those that come; and how old ones go. */
import type { FastifyInstance } from 'fastify'
import { askedBy } from '../consistency.ts'
import { hangUpOf } from '../hang-up.ts'
import type { LogContext } from '../context.ts'
import { attributeProperties, filterOf, filterProperties, type FilterQuery } from '../log-query.ts'
import { RequestError } from '../request-error.ts'
import { consistencyHeaders, entrySchema, listOf, objectOf } from '../schemas.ts'

const time = { type: 'integer', minimum: 0, description: 'ms since 1970' }
const limit = { type: 'integer', minimum: 1, maximum: 1_000, default: 100 }

export function registerLogs(app: FastifyInstance, { logs, limits }: LogContext): void {
  app.get<{ Querystring: FilterQuery & { limit: number; before?: string } }>(
    '/v1/logs/search',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Search the logs, newest first',
        tags: ['logs'],
        headers: consistencyHeaders,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            ...filterProperties,
            from: time,
            to: time,
            limit,
            before: { type: 'string', maxLength: 200, description: '`next` of the page before' },
          },
          patternProperties: attributeProperties,
        },
        response: {
          200: objectOf(
            {
              entries: listOf(entrySchema),
              next: { type: 'string', description: 'Where the next page begins; absent on the last' },
              unindexed: {
                type: 'integer',
                description: 'Entries so new that the search has not reached them',
              },
            },
            ['next'],
          ),
        },
      },
    },
    async (request, reply) => {
      const { before, limit: size } = request.query
      const { bookmarks, ...asked } = askedBy(request, limits.waitMs)
      const { bookmark, ...page } = await logs.search({
        ...filterOf(request.query),
        ...asked,
        limit: size,
        signal: hangUpOf(reply),
        ...(bookmarks.length === 0 ? {} : { after: bookmarks }),
        ...(before === undefined ? {} : { before }),
      })
      reply.header('tidemark-bookmark', bookmark)
      return page
    },
  )

  app.get<{ Querystring: { limit: number } }>(
    '/v1/logs/recent',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The newest entries, newest first',
        tags: ['logs'],
        querystring: { type: 'object', additionalProperties: false, properties: { limit } },
        response: { 200: objectOf({ entries: listOf(entrySchema) }) },
      },
    },
    async ({ query }) => ({ entries: await logs.getRecent(query.limit) }),
  )

  app.post<{ Body: { maxAgeMs?: number; maxBytes?: number } }>(
    '/v1/logs/cleanup',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Delete the oldest entries',
        description: 'In small steps. One that takes over a minute is cut off; asked again, it goes on.',
        tags: ['logs'],
        body: {
          type: 'object',
          additionalProperties: false,
          minProperties: 1,
          properties: {
            maxAgeMs: { type: 'integer', minimum: 0, description: 'Entries older than this go' },
            maxBytes: { type: 'integer', minimum: 1, description: 'The oldest go until no more is used' },
          },
        },
        response: { 200: objectOf({ deleted: { type: 'integer' } }) },
      },
    },
    async (request, reply) => {
      if (Object.keys(request.body).length === 0)
        throw new RequestError('INVALID_BODY', 'Say what shall go: maxAgeMs, maxBytes, or both.')
      return await logs.cleanup({ ...request.body, signal: hangUpOf(reply) })
    },
  )
}
