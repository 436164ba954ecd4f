/**
 * The naive worker: one job after another, one await after another, as the system did that this example comes from. Three commits
 * hold a job (taken, extracted, done); between them the vector store, the entities, the cache and the model are written one by one.
 * A job whose worker died is stale after a while, and is done again from its beginning.
 */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { entitiesOf } from '../documents/entities.ts'
import { parseDocument } from '../documents/parse.ts'
import { readDocument } from '../documents/read.ts'
import { hashing } from '../embedder.ts'
import { connect } from '../llm/redis.ts'
import { textToEmbed } from '../pipeline/embed.ts'
import { Life } from '../programs/life.ts'
import { askModel, forgetListing, putVector, warned } from './stores.ts'
import { openPool } from './tables.ts'

export interface NaiveWorkerOptions {
  readonly name: string
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
  readonly replyMs: number
  /** A job that was taken so long ago is taken for abandoned. */
  readonly staleMs: number
}

interface Job {
  readonly source: string
  readonly project: number
  readonly uri: string
}

interface Means {
  readonly pool: Pool
  readonly redis: Redis
  readonly options: NaiveWorkerOptions
}

export async function workNaively(options: NaiveWorkerOptions): Promise<void> {
  const life = new Life()
  const means: Means = { pool: await openPool(options.postgres), redis: connect(options.redis), options }
  console.log(`working ${options.name}`)
  while (!life.signal.aborted) {
    // What throws leaves its job taken: it is stale after a while.
    const isBusy = await warned('a job', async () => {
      await recoverStale(means)
      const job = await takeJob(means)
      if (job !== undefined) await run(means, job)
      return job !== undefined
    })
    if (isBusy !== true) await new Promise((rested) => setTimeout(rested, 100))
  }
  means.redis.disconnect()
  await means.pool.end()
}

async function recoverStale({ pool, options }: Means): Promise<void> {
  await pool.query("UPDATE jobs SET state = 'queued' WHERE state = 'running' AND started_ms < $1", [
    Date.now() - options.staleMs,
  ])
}

/** The first commit. */
async function takeJob({ pool }: Means): Promise<Job | undefined> {
  const { rows } = await pool.query<Job>(
    `WITH next AS (SELECT source FROM jobs WHERE state = 'queued' LIMIT 1 FOR UPDATE SKIP LOCKED), taken AS (
       UPDATE jobs SET state = 'running', attempts = attempts + 1, started_ms = $1
       FROM next WHERE jobs.source = next.source RETURNING jobs.source)
     SELECT id AS source, project::integer, uri FROM sources JOIN taken ON id = taken.source`,
    [Date.now()],
  )
  return rows[0]
}

async function run(means: Means, { source, project, uri }: Job): Promise<void> {
  const { pool, redis, options } = means
  const document = parseDocument(await readDocument(uri, '.', AbortSignal.timeout(10_000)), uri)
  const id = randomUUID()
  // The second commit.
  await pool.query(
    `INSERT INTO extractions (id, source, project, title, body, extracted_ms, embed_state, llm_state)
     VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 'waiting')`,
    [id, source, project, document.title, document.body, Date.now()],
  )
  const isEmbedded = await warned(`no vector for ${uri}`, async () => {
    const [vector] = await hashing.embed([textToEmbed(document)], AbortSignal.timeout(10_000))
    await putVector(options.vectors, id, project, vector)
    return true
  })
  if (isEmbedded === true) {
    await pool.query("UPDATE extractions SET embedding_id = id, embed_state = 'done' WHERE id = $1", [id])
    for (const { kind, name, count } of entitiesOf(`${document.title}\n${document.body}`))
      await addEntity(pool, id, kind, name, count, 'rules')
  } else await pool.query("UPDATE extractions SET embed_state = 'failed' WHERE id = $1", [id])
  await forgetListing(redis, project)
  await refine(means, id, `${document.title}\n${document.body}`)
  await forgetListing(redis, project)
  // The third commit.
  await pool.query("UPDATE jobs SET state = 'done' WHERE source = $1", [source])
  await pool.query("UPDATE sources SET state = 'extracted' WHERE id = $1", [source])
}

async function refine({ pool, redis, options }: Means, id: string, prompt: string): Promise<void> {
  const reply = await warned('the model', () => askModel(redis, prompt, options.replyMs))
  if (reply?.kind === 'done') {
    await pool.query("UPDATE extractions SET summary = $2, llm_state = 'done' WHERE id = $1", [
      id,
      reply.summary,
    ])
    for (const topic of reply.topics) await addEntity(pool, id, 'topic', topic, 1, 'llm')
  } else {
    await warned('the dead letters', () => redis.lpush('llm:dead', JSON.stringify({ id, prompt })))
    await pool.query("UPDATE extractions SET llm_state = 'failed' WHERE id = $1", [id])
  }
}

async function addEntity(
  pool: Pool,
  extraction: string,
  kind: string,
  name: string,
  count: number,
  origin: string,
): Promise<void> {
  await pool.query(
    'INSERT INTO entities (extraction, kind, name, count, origin) VALUES ($1, $2, $3, $4, $5)',
    [extraction, kind, name, count, origin],
  )
}
