/**
 * Looks into the stores from outside, past every program: plain pg, a plain Redis client, and the file of vectors, which nobody has
 * open by then. What is there is compared with what the client was promised, and with what the documents say.
 */
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { entitiesOf } from '../documents/entities.ts'
import { parseDocument } from '../documents/parse.ts'
import { Model } from '../llm/model.ts'
import { counts, names, type Reply } from '../llm/redis.ts'
import { asHtml, asMarkdown, madeDocument } from '../made.ts'
import { cachePrefix, listingKey } from '../pipeline/cache.ts'
import { listingSize } from '../pipeline/listing.ts'
import { textToEmbed } from '../pipeline/embed.ts'
import { VectorList } from '../vectors/list.ts'
import type { CarefulClient, Given } from './careful.ts'
import type { Stage, Way } from './stage.ts'

export const faults = [
  'accepted, and no extraction',
  'removed, and still there',
  'extractions doubled',
  'rows without a vector',
  'vectors without a row',
  'rows that do not say so of their vector',
  'entities missing',
  'entities doubled',
  'listings in the cache older than the rows',
  'rows that wait for ever, or gave up',
  'replies of the model that were lost',
  'requests to the model left over',
  'effects left over, or dead',
] as const
export type Fault = (typeof faults)[number]

export interface Inspection {
  readonly counts: Readonly<Record<string, number>>
  readonly found: Readonly<Record<Fault, readonly string[]>>
  /** Counted by the programs in Redis: about, since what dies counts no more. */
  readonly model: Readonly<Record<string, number>>
  /** Of the naive way. */
  readonly jobsAgain: number
}

interface Extraction {
  readonly id: string
  readonly source: string
  readonly embedding_id: string | null
  readonly embed_state: string
  readonly llm_state: string
  readonly summary: string | null
}

interface Looked {
  readonly client: Client
  readonly redis: Redis
  readonly way: Way
  readonly given: CarefulClient
  readonly add: (fault: Fault, ...of: readonly string[]) => void
}

export async function inspect(
  stage: Stage,
  way: Way,
  seed: number,
  given: CarefulClient,
): Promise<Inspection> {
  const found = Object.fromEntries(faults.map((fault) => [fault, [] as string[]])) as Record<Fault, string[]>
  const client = new Client({ connectionString: stage.database })
  const redis = new Redis(stage.redis)
  const looked: Looked = { client, redis, way, given, add: (fault, ...of) => found[fault].push(...of) }
  await client.connect()
  try {
    const extractions = await extractionsIn(client, way)
    const vectors = vectorsIn(stage.vectorFile)
    compareSources(looked, extractions)
    compareVectors(looked, extractions, vectors)
    const entities = await compareEntities(looked, extractions, seed)
    const listings = await compareListings(looked)
    const replies = await compareReplies(looked, extractions)
    await lookForRests(looked)
    return {
      counts: {
        'sources accepted': given.accepted.size,
        'sources removed': given.removed.size,
        extractions: extractions.length,
        vectors: vectors.size,
        entities,
        'listings in the cache': listings,
        'replies of the model': replies,
      },
      found,
      model: await counts(redis),
      jobsAgain: way === 'naive' ? await numberOf(client, 'SELECT sum(attempts - 1) FROM jobs') : 0,
    }
  } finally {
    redis.disconnect()
    await client.end()
  }
}

/** What is still to be done, as the tables say. */
export async function unfinished(client: Client, way: Way): Promise<number> {
  const waiting =
    way === 'naive'
      ? ["jobs WHERE state <> 'done'"]
      : [
          "sources WHERE state IN ('waiting', 'leaving')",
          "extractions WHERE embed_state = 'waiting' OR llm_state = 'waiting'",
          'tidemark_segments',
          "tidemark_effects WHERE state <> 'dead'",
        ]
  let left = 0
  for (const from of waiting) left += await numberOf(client, `SELECT count(*) FROM ${from}`)
  return left
}

async function extractionsIn(client: Client, way: Way): Promise<Extraction[]> {
  const source = way === 'naive' ? 'source' : 'id AS source'
  const { rows } = await client.query<Extraction>(
    `SELECT id, ${source}, embedding_id, embed_state, llm_state, summary FROM extractions`,
  )
  return rows
}

function vectorsIn(file: string): Set<string> {
  const list = new VectorList(file, 'extractions')
  try {
    return new Set(list.page('', 2 ** 31 - 1).map(({ id }) => id))
  } finally {
    list.close()
  }
}

function compareSources({ given, add }: Looked, extractions: readonly Extraction[]): void {
  const bySource = Map.groupBy(extractions, ({ source }) => source)
  for (const [id, { uri }] of given.accepted) {
    const all = bySource.get(id) ?? []
    if (all.length === 0) add('accepted, and no extraction', uri)
    if (all.length > 1) add('extractions doubled', ...all.slice(1).map(() => uri))
  }
  for (const [id, { uri }] of given.removed) if (bySource.has(id)) add('removed, and still there', uri)
}

function compareVectors(
  { add }: Looked,
  extractions: readonly Extraction[],
  vectors: ReadonlySet<string>,
): void {
  const rows = new Set(extractions.map(({ id }) => id))
  for (const { id, embedding_id, embed_state, llm_state } of extractions) {
    if (!vectors.has(id)) add('rows without a vector', id)
    else if (embedding_id !== id) add('rows that do not say so of their vector', id)
    if (embed_state !== 'done' || llm_state !== 'done') add('rows that wait for ever, or gave up', id)
  }
  for (const id of vectors) if (!rows.has(id)) add('vectors without a row', id)
}

/** Of each source all that are in its document, and each of them once. */
async function compareEntities(
  { client, way, given, add }: Looked,
  extractions: readonly Extraction[],
  seed: number,
): Promise<number> {
  const { rows } = await client.query<{ extraction: string; name: string }>(
    "SELECT extraction, concat_ws(' ', origin, kind, name) AS name FROM entities",
  )
  const sources = new Map(extractions.map(({ id, source }) => [id, source]))
  const bySource = Map.groupBy(rows, ({ extraction }) => sources.get(extraction))
  for (const [id, one] of given.accepted) {
    const there = new Map<string, number>()
    for (const { name } of bySource.get(id) ?? []) there.set(name, (there.get(name) ?? 0) + 1)
    const named = (name: string): string => `${one.uri} ${name}`
    for (const name of await entitiesDue(one, seed))
      if (!there.has(name)) add('entities missing', named(name))
    for (const [name, times] of there)
      if (times > 1) add('entities doubled', ...Array.from({ length: times - 1 }, () => named(name)))
  }
  // Rows of nobody are doubled too: those of the naive way whose extraction is gone.
  if (way === 'naive') return rows.length
  for (const { name } of bySource.get(undefined) ?? []) add('entities doubled', `nobody's ${name}`)
  return rows.length
}

async function entitiesDue({ n, uri }: Given, seed: number): Promise<Set<string>> {
  const made = madeDocument(seed, n)
  const isMarkdown = uri.endsWith('.md')
  const content = isMarkdown ? asMarkdown(made) : asHtml(made)
  const text = textToEmbed(parseDocument({ format: isMarkdown ? 'markdown' : 'html', content }, uri))
  const reply = await new Model({ latencyMs: 0 }).call(text)
  const topics = reply.kind === 'done' ? reply.topics : []
  return new Set([
    ...entitiesOf(text).map(({ kind, name }) => `rules ${kind} ${name}`),
    ...topics.map((topic) => `llm topic ${topic}`),
  ])
}

async function compareListings({ client, redis, way, add }: Looked): Promise<number> {
  let compared = 0
  for (const { id } of (await client.query<{ id: string }>('SELECT id FROM projects ORDER BY id')).rows) {
    const cached = await redis.get(cachePrefix + listingKey(Number(id)))
    if (cached === null) continue
    compared++
    const { rows } = await client.query(
      `SELECT e.id, s.uri, e.title, e.summary, e.embedding_id, e.embed_state, e.llm_state, e.extracted_ms::float8 AS extracted_ms
       FROM extractions e JOIN sources s ON s.id = e.${way === 'naive' ? 'source' : 'id'}
       WHERE e.project = $1 ORDER BY e.extracted_ms DESC, e.id LIMIT ${listingSize}`,
      [id],
    )
    if (cached !== JSON.stringify({ extractions: rows }))
      add('listings in the cache older than the rows', `project ${id}`)
  }
  return compared
}

/**
 * Who waits under the id of its effect finds the reply at its next attempt: it is lost if its row is without one. The naive way
 * asks under a new id each time, so each of its replies must be in a row of its own.
 */
async function compareReplies(
  { redis, way, given, add }: Looked,
  extractions: readonly Extraction[],
): Promise<number> {
  const used = Map.groupBy(
    extractions.filter(({ summary }) => summary !== null),
    ({ source }) => source,
  )
  const replies = await repliesIn(redis)
  const sources = new Map([...given.accepted].map(([id, { n }]) => [n, id]))
  for (const [n, summaries] of Map.groupBy(replies, (summary) =>
    Number(/^Report (\d+) /.exec(summary)?.[1]),
  )) {
    const source = sources.get(n)
    if (source === undefined) continue
    const rows = used.get(source)?.length ?? 0
    const lost = way === 'naive' ? summaries.length - rows : rows === 0 ? summaries.length : 0
    if (lost > 0) add('replies of the model that were lost', ...summaries.slice(-lost))
  }
  return replies.length
}

async function repliesIn(redis: Redis): Promise<string[]> {
  const keys: string[] = []
  for await (const page of redis.scanStream({ match: names.reply('*'), count: 1_000 }))
    keys.push(...(page as string[]))
  if (keys.length === 0) return []
  return (await redis.mget(...new Set(keys))).flatMap((text) => {
    const reply = text === null ? undefined : (JSON.parse(text) as Reply)
    return reply?.kind === 'done' ? [reply.summary] : []
  })
}

async function lookForRests({ client, redis, way, add }: Looked): Promise<void> {
  const requests = await redis.xrange(names.requests, '-', '+')
  add('requests to the model left over', ...requests.map(([entry]) => entry))
  if (way === 'naive') return
  const { rows } = await client.query<{ what: string }>(
    `SELECT concat_ws(' ', kind, effect_key, state, error) AS what FROM tidemark_effects
     UNION ALL SELECT concat_ws(' ', kind, 'not finished') FROM tidemark_segments`,
  )
  add('effects left over, or dead', ...rows.map(({ what }) => what))
}

async function numberOf(client: Client, sql: string): Promise<number> {
  const { rows } = await client.query<Record<string, unknown>>(sql)
  return Number(Object.values(rows[0] ?? {})[0] ?? 0)
}
