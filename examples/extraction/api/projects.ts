/** Projects, and the sources that are submitted to them. */
import type { FastifyInstance } from 'fastify'
import type { Database } from '../database.ts'
import { problemOf, uriRule } from '../documents/uri.ts'
import { remove, submit } from '../pipeline/submit.ts'
import type { Context } from './context.ts'
import { ApiProblem } from './problem.ts'
import { integer, listOf, objectOf, projectParams, sourceParams, string } from './schemas.ts'

const maxSources = 500
const uri = { type: 'string', minLength: 1, maxLength: 1_000, description: uriRule } as const

export function registerProjects(app: FastifyInstance, { db, backpressure }: Context): void {
  app.post<{ Body: { name: string } }>(
    '/projects',
    {
      schema: {
        summary: 'Creates a project',
        body: objectOf({ name: { type: 'string', minLength: 1, maxLength: 200 } }),
        response: { 201: objectOf({ id: integer, name: string, bookmark: string }) },
      },
    },
    async ({ body: { name } }, reply) => {
      const receipt = db.insert('projects', { name, created_ms: Date.now() })
      await receipt
      return await reply.code(201).send({ id: receipt.id, name, bookmark: receipt.bookmark })
    },
  )

  app.get(
    '/projects',
    {
      schema: {
        summary: 'The newest hundred projects',
        response: {
          200: objectOf({ projects: listOf(objectOf({ id: integer, name: string, created_ms: integer })) }),
        },
      },
    },
    async () => ({
      projects: await db
        .read('eventual')
        .selectFrom('projects')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(100)
        .execute(),
    }),
  )

  app.post<{ Params: { project_id: number }; Body: { uri: string } | { uris: string[] } }>(
    '/projects/:project_id/sources',
    {
      schema: {
        summary: 'Submits one source or many: all of them, or none',
        description:
          'Answered when it is committed: what follows is done, whatever dies. A source that was submitted before is read again.',
        params: projectParams,
        body: {
          oneOf: [
            objectOf({ uri }),
            objectOf({ uris: { type: 'array', items: uri, minItems: 1, maxItems: maxSources } }),
          ],
        },
        response: {
          202: objectOf({ bookmark: string, sources: listOf(objectOf({ id: string, uri: string })) }),
        },
      },
    },
    async ({ params, body }, reply) => {
      const uris = [...new Set('uri' in body ? [body.uri] : body.uris)]
      const problems = uris.flatMap((one) => problemOf(one) ?? [])
      if (problems.length > 0)
        throw new ApiProblem(422, 'INVALID_SOURCE', `${problems.slice(0, 5).join('; ')}.`, {
          hint: `A source is ${uriRule}. Nothing was taken.`,
        })
      await requireProject(db, params.project_id)
      await backpressure.ready(uris.length)
      const { bookmark, ids } = await submit(db, params.project_id, uris)
      return await reply.code(202).send({ bookmark, sources: ids.map((id, at) => ({ id, uri: uris[at] })) })
    },
  )

  app.delete<{ Params: { source_id: string } }>(
    '/sources/:source_id',
    {
      schema: {
        summary: 'Removes a source, with what was made of it in every store',
        params: sourceParams,
        response: { 202: objectOf({ bookmark: string }) },
      },
    },
    async ({ params: { source_id: id } }, reply) => {
      const [row] = await db.read('strong').selectFrom('sources').select('id').where('id', '=', id).execute()
      if (row === undefined) throw new ApiProblem(404, 'NOT_FOUND', 'There is no such source.')
      return await reply.code(202).send({ bookmark: await remove(db, id) })
    },
  )
}

/** @throws ApiProblem */
export async function requireProject(db: Database, id: number): Promise<void> {
  const [row] = await db.read('eventual').selectFrom('projects').select('id').where('id', '=', id).execute()
  if (row === undefined)
    throw new ApiProblem(404, 'NOT_FOUND', `There is no project ${id}.`, {
      hint: 'POST /projects makes one.',
    })
}
