/** What was made of sources, as fresh as is asked for. */
import type { FastifyInstance } from 'fastify'
import { listingSize, loadEntities, loadListing } from '../pipeline/listing.ts'
import type { Context } from './context.ts'
import { ApiProblem } from './problem.ts'
import { requireProject } from './projects.ts'
import {
  entity,
  extraction,
  freshness,
  integer,
  limit,
  listOf,
  number,
  objectOf,
  orNull,
  projectParams,
  sourceParams,
  status,
  string,
} from './schemas.ts'
import { statusOf } from './status.ts'
import { reads, type Freshness } from './waiting.ts'

type OfProject = { project_id: number }
const sourceList = {
  type: 'string',
  pattern: '^[0-9a-f]{24}(,[0-9a-f]{24}){0,99}$',
  description: 'Strong waits for these sources alone, with commas between them',
} as const

export function registerReading(app: FastifyInstance, context: Context): void {
  const { db, cache, vectors, embedder } = context

  app.get<{ Params: OfProject; Querystring: Freshness }>(
    '/projects/:project_id/extractions',
    {
      schema: {
        summary: `The ${listingSize} newest extractions`,
        params: projectParams,
        querystring: objectOf(freshness, ['consistency', 'after', 'timeoutMs']),
        response: { 200: objectOf({ extractions: listOf(extraction) }) },
      },
    },
    async ({ params: { project_id: project }, query }) => {
      await requireProject(db, project)
      const from = await reads(context, project, query, ['scrape'])
      return query.consistency === 'eventual'
        ? await cache.read(db, project)
        : await loadListing(db, project, from)
    },
  )

  app.get<{
    Params: OfProject
    Querystring: Freshness & { kind?: string; extraction?: string; limit: number }
  }>(
    '/projects/:project_id/entities',
    {
      schema: {
        summary: 'Names that were found, the most frequent first',
        params: projectParams,
        querystring: objectOf(
          {
            ...freshness,
            kind: { type: 'string', maxLength: 40 },
            extraction: string,
            limit: limit(1_000, 100),
          },
          ['consistency', 'after', 'timeoutMs', 'kind', 'extraction', 'limit'],
        ),
        response: { 200: objectOf({ entities: listOf(entity) }) },
      },
    },
    async ({ params: { project_id: project }, query }) => {
      await requireProject(db, project)
      return {
        entities: await loadEntities(await reads(context, project, query, ['scrape']), project, query),
      }
    },
  )

  app.get<{ Params: OfProject; Querystring: Freshness & { q: string; sources?: string; limit: number } }>(
    '/projects/:project_id/search',
    {
      schema: {
        summary: 'Extractions near to these words',
        description:
          'Strong waits until all that was submitted before, or the sources that are named, can be found.',
        params: projectParams,
        querystring: objectOf(
          {
            ...freshness,
            q: { type: 'string', minLength: 1, maxLength: 1_000 },
            sources: sourceList,
            limit: limit(100, 10),
          },
          ['consistency', 'after', 'timeoutMs', 'sources', 'limit'],
        ),
        response: {
          200: objectOf({
            hits: listOf(
              objectOf({
                id: string,
                uri: string,
                title: string,
                summary: orNull('string'),
                distance: number,
              }),
            ),
            outdated: {
              ...integer,
              description: 'Vectors that were left out, since their rows say otherwise by now',
            },
          }),
        },
      },
    },
    async ({ params: { project_id: project }, query: { q, sources, limit: most, ...query } }) => {
      await requireProject(db, project)
      const from = await reads(context, project, query, ['scrape', 'embed'], sources?.split(','))
      const [vector] = await embedder.embed([q], AbortSignal.timeout(query.timeoutMs))
      const near = vector === undefined ? [] : await vectors.search(vector, project, most)
      if (near.length === 0) return { hits: [], outdated: 0 }
      const rows = await from
        .selectFrom('extractions')
        .innerJoin('sources', 'sources.id', 'extractions.id')
        .select(['extractions.id', 'sources.uri', 'extractions.title', 'extractions.summary'])
        .where(
          'extractions.id',
          'in',
          near.map(({ id }) => id),
        )
        .where('extractions.embedding_id', 'is not', null)
        .execute()
      const byId = new Map(rows.map((row) => [row.id, row]))
      const hits = near.flatMap(({ id, distance }) => {
        const row = byId.get(id)
        return row === undefined ? [] : [{ ...row, distance }]
      })
      return { hits, outdated: near.length - hits.length }
    },
  )

  app.get<{ Params: { source_id: string }; Querystring: Freshness }>(
    '/sources/:source_id/status',
    {
      schema: {
        summary: 'How far a source is, and how long each step took',
        params: sourceParams,
        querystring: objectOf(freshness, ['consistency', 'after', 'timeoutMs']),
        response: { 200: status },
      },
    },
    async ({ params: { source_id: id }, query }) => {
      const project = (
        await db.read('eventual').selectFrom('sources').select('project').where('id', '=', id).execute()
      )[0]
      const from = await reads(context, project?.project ?? 0, query, ['scrape', 'embed'], [id])
      const found = await statusOf(from, id)
      if (found === undefined) throw new ApiProblem(404, 'NOT_FOUND', 'There is no such source.')
      return found
    },
  )
}
