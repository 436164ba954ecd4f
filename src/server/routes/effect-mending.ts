/** What a person does about effects: has dead ones tried again, holds a kind, gives rows the effect that they lack. */
import type { FastifyInstance } from 'fastify'
import { MOST_RECOVERED } from '../../effects/recover.ts'
import type { ServerContext } from '../context.ts'
import { hangUpOf } from '../hang-up.ts'
import { RequestError } from '../request-error.ts'
import { effectKindSchema, kindParams, listOf, objectOf, type OfKind, recoverySchema } from '../schemas.ts'

interface RecoverBody {
  readonly dryRun: boolean
  readonly limit?: number
}

const maxMended = 1_000
const tags = ['effects']

export function registerEffectMending(app: FastifyInstance, context: ServerContext): void {
  registerMending(app, context)
  registerPauses(app, context)
  registerRecovery(app, context)
}

function registerMending(app: FastifyInstance, { db }: ServerContext): void {
  for (const [how, done, summary] of [
    ['redrive', 'redriven', 'Have dead effects tried again'],
    ['discard', 'discarded', 'Delete dead effects'],
  ] as const)
    app.post<{ Body: { ids: string[] } }>(
      `/v1/effects/${how}`,
      {
        config: { scope: 'admin' },
        schema: {
          summary,
          description: `Each stands alone: \`${done}\`, or \`notDead\` when it was not dead any more.`,
          tags,
          body: {
            ...objectOf({
              ids: {
                ...listOf({ type: 'string', minLength: 1, maxLength: 50 }),
                minItems: 1,
                maxItems: maxMended,
                uniqueItems: true,
              },
            }),
            additionalProperties: false,
          },
          response: {
            200: objectOf({
              outcomes: listOf(objectOf({ id: { type: 'string' }, outcome: { type: 'string' } })),
            }),
          },
        },
      },
      async ({ body: { ids } }) => {
        const mended = new Set(await db.effects[how](ids))
        return { outcomes: ids.map((id) => ({ id, outcome: mended.has(id) ? done : 'notDead' })) }
      },
    )
}

function registerPauses(app: FastifyInstance, { db, recoveries }: ServerContext): void {
  for (const [how, summary] of [
    ['pause', 'Deliver no more of a kind, in any process, until it is resumed'],
    ['resume', 'Deliver a kind again'],
  ] as const)
    app.post<OfKind>(
      `/v1/effects/:kind/${how}`,
      {
        config: { scope: 'admin' },
        schema: { summary, tags, params: kindParams, response: { 200: effectKindSchema } },
      },
      async ({ params: { kind } }) => {
        if (!recoveries.has(kind) && !(await db.effects.kinds()).includes(kind))
          throw new RequestError(
            'NOT_FOUND',
            'Nobody has ever handled this kind, and no effects of it wait.',
            {
              hint: 'See /v1/effects for the kinds that there are.',
            },
          )
        await db.effects[how](kind)
        return recoveries.told(await db.effects.stats(kind))
      },
    )
}

function registerRecovery(app: FastifyInstance, { recoveries }: ServerContext): void {
  app.post<OfKind & { Body: RecoverBody }>(
    '/v1/effects/:kind/recover',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Give rows the effect that they lack, and discard dead effects without a row',
        description:
          'By the queries that whoever started the server gave for this kind. It changes nothing unless `dryRun` is false. One runs at a time.',
        tags,
        params: kindParams,
        body: {
          type: 'object',
          additionalProperties: false,
          properties: {
            dryRun: { type: 'boolean', default: true, description: 'Only tells what it would do' },
            limit: {
              type: 'integer',
              minimum: 1,
              maximum: MOST_RECOVERED,
              description: 'Rows enqueued, and orphans discarded, at most; 1,000 unless it is given',
            },
          },
        },
        response: { 200: recoverySchema },
      },
    },
    async ({ params: { kind }, body: { dryRun, limit } }, reply) => {
      const bounds = limit === undefined ? {} : { limit }
      return { dryRun, ...(await recoveries.run(kind, { dryRun, ...bounds }, hangUpOf(reply))) }
    },
  )
}
