/** For whoever runs it: health, what was given up, and what does not agree. */
import type { FastifyInstance } from 'fastify'
import { recover } from '../agreement/recover.ts'
import { kinds } from '../pipeline/handlers.ts'
import type { Context } from './context.ts'
import { requireProject } from './projects.ts'
import {
  boolean,
  deadLetter,
  health,
  integer,
  limit,
  listOf,
  objectOf,
  projectParams,
  report,
  string,
} from './schemas.ts'

export function registerOperations(app: FastifyInstance, context: Context): void {
  const { db, agreement, llm } = context

  app.get(
    '/health',
    {
      schema: {
        summary: '503 while stores disagree, or one cannot be reached: it says which, and what to do',
        response: { 200: health, 503: health },
      },
    },
    async (_, reply) => {
      const { alerts, lookedMs } = agreement
      const isRed = alerts.length > 0
      return await reply.code(isRed ? 503 : 200).send({
        status: isRed ? 'red' : 'ok',
        lookedAt: lookedMs === undefined ? null : new Date(lookedMs).toISOString(),
        alerts,
        llm: await llm.counts().catch(() => ({})),
      })
    },
  )

  app.post<{
    Params: { project_id: number }
    Querystring: { dryRun?: boolean; limit: number }
    Body: { dryRun?: boolean } | undefined
  }>(
    '/projects/:project_id/extractions/recover',
    {
      schema: {
        summary: 'Tells what is missing in each store, and with dryRun false has it mended',
        description:
          'Safe beside live traffic: what is only under way is not missing. Bounded: isMore says to call again.',
        params: projectParams,
        querystring: objectOf({ dryRun: boolean, limit: limit(10_000, 1_000) }, ['dryRun', 'limit']),
        body: { ...objectOf({ dryRun: boolean }, ['dryRun']), type: ['object', 'null'] },
        response: { 200: report },
      },
    },
    async ({ params: { project_id: project }, query, body }) => {
      await requireProject(db, project)
      const dryRun = query.dryRun ?? body?.dryRun ?? true
      const found = await recover(context, { project, dryRun, limit: query.limit })
      if (!dryRun) await agreement.look().catch(() => undefined)
      return found
    },
  )

  app.get<{ Querystring: { kind?: string; after?: number; limit: number } }>(
    '/dead-letters',
    {
      schema: {
        summary: 'Follow-up work that was given up, oldest first, with all that it takes to try it again',
        querystring: objectOf(
          {
            kind: { type: 'string', enum: [...kinds] },
            after: { type: 'integer', minimum: 0 },
            limit: limit(1_000, 100),
          },
          ['kind', 'after', 'limit'],
        ),
        response: { 200: objectOf({ deadLetters: listOf(deadLetter), next: integer }, ['next']) },
      },
    },
    async ({ query: { kind, after, limit: most } }) => {
      const found = await db.effects.deadLetters(kind, {
        limit: most,
        ...(after !== undefined && { afterVersion: after }),
      })
      const last = found.at(-1)
      return {
        deadLetters: found.map(({ id, kind: of, key, payload, attempts, error, committedAt, failedAt }) => ({
          id,
          kind: of,
          key: key ?? null,
          payload,
          attempts,
          error,
          committedAt,
          failedAt,
        })),
        ...(last !== undefined && found.length === most && { next: last.version }),
      }
    },
  )

  app.post<{ Body: { ids: string[] } }>(
    '/dead-letters/redrive',
    {
      schema: {
        summary: 'Has them tried again',
        body: objectOf({
          ids: { type: 'array', items: { type: 'string', maxLength: 100 }, minItems: 1, maxItems: 1_000 },
        }),
        response: { 200: objectOf({ redriven: listOf(string) }) },
      },
    },
    async ({ body: { ids } }) => {
      const wanted = new Set(ids)
      const letters = (await db.effects.deadLetters(undefined, { limit: 10_000 })).filter(({ id }) =>
        wanted.has(id),
      )
      const redriven = await db.effects.redrive(ids)
      // Their rows said that it had failed. Where it is done already by now, that stays.
      const waits = letters.filter(({ id }) => redriven.includes(id))
      if (waits.length > 0)
        await db.atomic((group) => {
          for (const { kind, key: id = '' } of waits) {
            if (kind === 'scrape')
              group.update('sources', { id, state: 'failed' }, { state: 'waiting', problem: null })
            if (kind === 'embed')
              group.update(
                'extractions',
                { id, embed_state: 'failed' },
                { embed_state: 'waiting', problem: null },
              )
            if (kind === 'llm')
              group.update(
                'extractions',
                { id, llm_state: 'failed' },
                { llm_state: 'waiting', problem: null },
              )
            if (kind === 'cache') group.enqueue({ kind, key: id, payload: { op: 'invalidate' } })
          }
        })
      return { redriven }
    },
  )
}
