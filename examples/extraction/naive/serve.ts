/** The naive API: the four routes that the campaign of kills asks for, one await after another. */
import Fastify from 'fastify'
import { sourceId } from '../ids.ts'
import { connect } from '../llm/redis.ts'
import { listingSize } from '../pipeline/listing.ts'
import { Life } from '../programs/life.ts'
import { cachedListing, cacheListing, forgetListing, putVector } from './stores.ts'
import { openPool } from './tables.ts'

export interface NaiveServeOptions {
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
  readonly port: number
}

export async function serveNaively({
  postgres,
  redis: redisUrl,
  vectors,
  port,
}: NaiveServeOptions): Promise<void> {
  const life = new Life()
  const pool = await openPool(postgres)
  const redis = connect(redisUrl)
  const app = Fastify()

  app.post<{ Body: { name: string } }>('/projects', async ({ body }, reply) => {
    const { rows } = await pool.query<{ id: string }>(
      'INSERT INTO projects (name) VALUES ($1) RETURNING id',
      [body.name],
    )
    return await reply.code(201).send({ id: Number(rows[0]?.id) })
  })

  app.post<{ Params: { id: string }; Body: { uris: string[] } }>(
    '/projects/:id/sources',
    async ({ params, body }, reply) => {
      const project = Number(params.id)
      const sources = body.uris.map((uri) => ({ id: sourceId(project, uri), uri }))
      // Sent again, it changes nothing: a source has one job.
      for (const { id, uri } of sources) {
        await pool.query("INSERT INTO sources VALUES ($1, $2, $3, 'waiting') ON CONFLICT DO NOTHING", [
          id,
          project,
          uri,
        ])
        await pool.query("INSERT INTO jobs VALUES ($1, 'queued') ON CONFLICT DO NOTHING", [id])
      }
      return await reply.code(202).send({ bookmark: '', sources })
    },
  )

  app.get<{ Params: { id: string } }>('/projects/:id/extractions', async ({ params }, reply) => {
    const project = Number(params.id)
    let listing = await cachedListing(redis, project)
    if (listing === null) {
      const { rows } = await pool.query(
        `SELECT e.id, s.uri, e.title, e.summary, e.embedding_id, e.embed_state, e.llm_state,
           e.extracted_ms::float8 AS extracted_ms
         FROM extractions e JOIN sources s ON s.id = e.source
         WHERE e.project = $1 ORDER BY e.extracted_ms DESC, e.id LIMIT $2`,
        [project, listingSize],
      )
      listing = JSON.stringify({ extractions: rows })
      await cacheListing(redis, project, listing)
    }
    return await reply.type('application/json').send(listing)
  })

  app.delete<{ Params: { id: string } }>('/sources/:id', async ({ params: { id } }, reply) => {
    const { rows: sources } = await pool.query<{ project: string }>(
      'SELECT project FROM sources WHERE id = $1',
      [id],
    )
    if (sources[0] === undefined) return await reply.code(404).send({ detail: 'There is no such source.' })
    const project = Number(sources[0].project)
    const { rows } = await pool.query<{ id: string }>(
      'DELETE FROM extractions WHERE source = $1 RETURNING id',
      [id],
    )
    for (const { id: extraction } of rows)
      await pool.query('DELETE FROM entities WHERE extraction = $1', [extraction])
    await pool.query('DELETE FROM jobs WHERE source = $1', [id])
    await pool.query('DELETE FROM sources WHERE id = $1', [id])
    for (const { id: extraction } of rows) await putVector(vectors, extraction, project, undefined)
    await forgetListing(redis, project)
    return await reply.code(202).send({ bookmark: '' })
  })

  console.log(`api ${await app.listen({ host: '127.0.0.1', port })}`)
  await life.over()
  await app.close()
  redis.disconnect()
  await pool.end()
}
