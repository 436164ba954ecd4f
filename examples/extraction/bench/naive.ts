/**
 * The usual way, as the source had it: one document after the other, each step awaited, each row a commit of its own, and
 * whatever dies in between leaves its stores apart. Parsing, names, embedder, vectors, LLM and Redis are those of the example.
 */
import { Client } from 'pg'
import { entitiesOf } from '../documents/entities.ts'
import { parseDocument } from '../documents/parse.ts'
import { readDocument } from '../documents/read.ts'
import { hashing } from '../embedder.ts'
import { revisionOf, sourceId } from '../ids.ts'
import { LlmClient } from '../llm/client.ts'
import { connect } from '../llm/redis.ts'
import { putVector } from '../naive/stores.ts'
import { cachePrefix, listingKey } from '../pipeline/cache.ts'
import { textToEmbed } from '../pipeline/embed.ts'
import { promptOf } from '../pipeline/refine.ts'
import { schema } from '../tables.ts'
import type { Round } from './rig.ts'

/** @returns seconds from the first document that counts to the last */
export async function naively(
  { postgres, redis, vectors }: Round,
  folder: string,
  uris: readonly string[],
  warmUp: number,
): Promise<number> {
  const sql = new Client({ connectionString: postgres, application_name: 'naive' })
  await sql.connect()
  const cache = connect(redis)
  const llm = new LlmClient(redis)
  const { signal } = new AbortController()
  try {
    for (const statement of schema) await sql.query(statement)
    const { rows } = await sql.query(
      "INSERT INTO projects (name, created_ms) VALUES ('naive', 0) RETURNING id",
    )
    const project = Number((rows[0] as { readonly id: string }).id)
    let sinceMs = performance.now()
    for (const [n, uri] of uris.entries()) {
      if (n === warmUp) sinceMs = performance.now()
      const id = sourceId(project, uri)
      await sql.query({
        name: 'source',
        text: `INSERT INTO sources (id, project, uri, submission, state, submitted_ms) VALUES ($1, $2, $3, $1, 'waiting', $4)`,
        values: [id, project, uri, Date.now()],
      })
      const { title, body } = parseDocument(await readDocument(uri, folder, signal), uri)
      const entities = entitiesOf(`${title}\n${body}`)
      await sql.query({
        name: 'extraction',
        text: `INSERT INTO extractions (id, project, title, body, revision, extracted_ms, embed_state, llm_state)
          VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 'waiting')`,
        values: [id, project, title, body, revisionOf(title, body), Date.now()],
      })
      for (const { kind, name, count } of entities)
        await sql.query({
          name: 'entity',
          text: `INSERT INTO entities (extraction, kind, name, count, origin) VALUES ($1, $2, $3, $4, 'rules')`,
          values: [id, kind, name, count],
        })
      await sql.query({
        name: 'scraped',
        text: `UPDATE sources SET state = 'extracted', scraped_ms = $2 WHERE id = $1`,
        values: [id, Date.now()],
      })
      await cache.del(cachePrefix + listingKey(project))

      const [vector] = await hashing.embed([textToEmbed({ title, body })], signal)
      await putVector(vectors, id, project, vector)
      await sql.query({
        name: 'embedded',
        text: `UPDATE extractions SET embedding_id = $2, embed_state = 'done', embedded_ms = $3 WHERE id = $1`,
        values: [id, id, Date.now()],
      })
      await cache.del(cachePrefix + listingKey(project))

      const reply = await llm.ask(id, promptOf({ title, body }), signal)
      if (reply.kind !== 'done') throw new Error(`the model did not answer: ${reply.kind}`)
      await sql.query({
        name: 'refined',
        text: `UPDATE extractions SET summary = $2, llm_state = 'done', refined_ms = $3 WHERE id = $1`,
        values: [id, reply.summary, Date.now()],
      })
      for (const topic of reply.topics)
        await sql.query({
          name: 'topic',
          text: `INSERT INTO entities (extraction, kind, name, count, origin) VALUES ($1, 'topic', $2, 1, 'llm') ON CONFLICT DO NOTHING`,
          values: [id, topic],
        })
      await cache.del(cachePrefix + listingKey(project))
    }
    return (performance.now() - sinceMs) / 1_000
  } finally {
    llm.close()
    cache.disconnect()
    await sql.end()
  }
}
