/** What the database refused for good, and how to have it written again. */
import { unprefixed } from '../../errors.ts'
import type { FastifyInstance } from 'fastify'
import type { DeadLetter } from '../../index.ts'
import { jsonOf } from '../../row-json.ts'
import type { ServerContext } from '../context.ts'
import { nextSchema, pageOf, pageProperties, type PageQuery } from '../paging.ts'
import { letterSchema, listOf, objectOf } from '../schemas.ts'

const maxRedriven = 1_000

export function registerDeadLetters(app: FastifyInstance, { db }: ServerContext): void {
  app.get<{ Querystring: PageQuery & { table?: string } }>(
    '/v1/dead-letters',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Dead letters, oldest first',
        tags: ['dead letters'],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { ...pageProperties, table: { type: 'string', maxLength: 200 } },
        },
        response: {
          200: objectOf({ letters: listOf(letterSchema), next: nextSchema }),
        },
      },
    },
    async ({ query: { after = 0, limit, table } }) => {
      const of = table === undefined ? {} : { table }
      const { items, next } = await pageOf(
        limit,
        (most) => db.deadLetters({ afterId: after, limit: most, ...of }),
        ({ id }) => id,
      )
      return { letters: items.map(letterOf), next }
    },
  )

  app.post<{ Body: { ids: number[] } }>(
    '/v1/dead-letters/redrive',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Write dead letters again',
        description: 'A letter that is refused again stays, with one attempt more.',
        tags: ['dead letters'],
        body: {
          ...objectOf({
            ids: {
              ...listOf({ type: 'integer', minimum: 1 }),
              minItems: 1,
              maxItems: maxRedriven,
              uniqueItems: true,
            },
          }),
          additionalProperties: false,
        },
        response: {
          200: objectOf({
            outcomes: listOf(
              objectOf(
                { id: { type: 'integer' }, outcome: { type: 'string' }, message: { type: 'string' } },
                ['message'],
              ),
            ),
          }),
        },
      },
    },
    async ({ body: { ids } }) => {
      const outcomes = await db.redrive(ids)
      return {
        outcomes: outcomes.map(({ id, outcome }) => {
          if (outcome.kind === 'abandoned') throw outcome.error
          const { kind } = outcome
          return kind === 'committed'
            ? { id, outcome: kind }
            : { id, outcome: kind, message: unprefixed(outcome.error.message) }
        }),
      }
    },
  )
}

function letterOf({ id, table, code, message, attempts, rejectedAt, content }: DeadLetter): object {
  return {
    id,
    table: table ?? null,
    code,
    message,
    attempts,
    rejectedAt: rejectedAt.toISOString(),
    content:
      typeof content === 'string'
        ? content
        : content.map(({ kind, table: of, sql, values }) => ({
            kind,
            table: of,
            sql,
            values: values.map(jsonOf),
          })),
  }
}
