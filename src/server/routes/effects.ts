/** Effects as they are: what waits of each kind, and what was given up. `effect-mending.ts` has what a person does about it. */
import type { FastifyInstance } from 'fastify'
import type { DeadEffect, WaitingEffect } from '../../index.ts'
import { askedBy } from '../consistency.ts'
import type { Engine, ServerContext } from '../context.ts'
import { EFFECT_COLUMNS } from '../effects-history.ts'
import { nextSchema, pageOf, pageProperties, type PageQuery } from '../paging.ts'
import { RequestError } from '../request-error.ts'
import {
  consistencyHeaders,
  deadEffectSchema,
  effectKindSchema,
  kindParams,
  listOf,
  objectOf,
  type OfKind,
  sinceSchema,
  waitingEffectSchema,
} from '../schemas.ts'

/** How long a request waits for the database before it tells what was seen last. */
const lookMs = 2_000
const tags = ['effects']

export function registerEffects(
  app: FastifyInstance,
  { db, effects, limits, recoveries }: ServerContext,
): void {
  app.get(
    '/v1/effects',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Each kind of effects, and how much of it is not done',
        tags,
        response: {
          200: objectOf({
            at: { type: ['string', 'null'], description: 'When the database was asked' },
            kinds: listOf(effectKindSchema),
          }),
        },
      },
    },
    async () => {
      // Says so where the store keeps none.
      if (!effects.isSupported) await db.effects.kinds()
      const { atMs, kinds } = await effects.look(lookMs)
      return {
        at: atMs === undefined ? null : new Date(atMs).toISOString(),
        kinds: kinds.map((stats) => recoveries.told(stats)),
      }
    },
  )

  app.get<OfKind>(
    '/v1/effects/:kind',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'One kind of effects',
        description: 'Of one that nobody has heard of there is nothing.',
        tags,
        params: kindParams,
        response: { 200: effectKindSchema },
      },
    },
    async ({ params: { kind } }) => recoveries.told(await db.effects.stats(kind)),
  )

  for (const [which, summary, schema] of [
    ['dead', 'Dead effects of a kind, oldest first', deadEffectSchema],
    [
      'waiting',
      'Effects of a kind that are tried again, delayed or held back, oldest first',
      waitingEffectSchema,
    ],
  ] as const)
    app.get<OfKind & { Querystring: PageQuery }>(
      `/v1/effects/:kind/${which}`,
      {
        config: { scope: 'read' },
        schema: {
          summary,
          tags,
          params: kindParams,
          querystring: { type: 'object', additionalProperties: false, properties: pageProperties },
          response: { 200: objectOf({ effects: listOf(schema), next: nextSchema }) },
        },
      },
      async ({ params: { kind }, query: { after, limit } }) => {
        const from = after === undefined ? {} : { afterVersion: after }
        const { items, next } = await pageOf<DeadEffect | WaitingEffect>(
          limit,
          (most) => db.effects[which === 'dead' ? 'deadLetters' : 'waiting'](kind, { ...from, limit: most }),
          ({ version }) => version,
        )
        return { effects: items.map(withNulls), next }
      },
    )

  app.get<{ Params: { id: string } }>(
    '/v1/effect-results/:id',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What the handler of an effect gave as its result',
        description:
          'Kept for as long as its handler says, a week by default. With Tidemark-Timeout-Ms it is waited for; 404 while there is none.',
        tags,
        params: objectOf({ id: { type: 'string', maxLength: 50 } }),
        headers: consistencyHeaders,
        response: { 200: objectOf({ result: { description: 'Any JSON' } }) },
      },
    },
    (request) => resultOf(db, request.params.id, askedBy(request, limits.waitMs).timeoutMs),
  )

  app.get<{ Querystring: { since?: number } }>(
    '/v1/stats/effects',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'How each kind of effects was in the last fifteen minutes',
        tags: ['stats'],
        querystring: sinceSchema,
        response: {
          200: objectOf({
            intervalMs: { type: 'integer' },
            columns: listOf({ type: 'string' }),
            kinds: { type: 'object', additionalProperties: listOf(listOf({ type: 'number' })) },
          }),
        },
      },
    },
    ({ query: { since = 0 } }) => ({
      intervalMs: effects.everyMs,
      columns: EFFECT_COLUMNS,
      kinds: effects.since(since),
    }),
  )
}

async function resultOf({ effects }: Engine, id: string, timeoutMs = 0): Promise<object> {
  const result = await effects.result(id, { timeoutMs })
  if (result === undefined)
    throw new RequestError('NOT_FOUND', 'There is no result of this effect, or none any more.')
  return { result }
}

/** JSON has no word for what is not there; times are texts. */
function withNulls({ key, error, failedAt, ...rest }: DeadEffect | WaitingEffect): object {
  const isWaiting = 'dueAt' in rest
  return {
    ...rest,
    key: key ?? null,
    error: error ?? null,
    failedAt: failedAt ?? null,
    ...(isWaiting && { dueAt: rest.dueAt ?? null }),
  }
}
