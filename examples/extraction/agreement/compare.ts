/**
 * Whether the stores agree: what should be in one of them and is not, by looking at both.
 *
 * Keeps, beside live traffic: nothing that is only under way is taken for missing. So it is looked twice, and between the looks
 * what has an effect that is not finished is left out: its delivery is what will change it. What is missing in both looks, the
 * same in both, and has no effect between them, is missing.
 */
import type { Database } from '../database.ts'
import type { ListingCache } from '../pipeline/cache.ts'
import { listingKey } from '../pipeline/cache.ts'
import { loadListing } from '../pipeline/listing.ts'
import type { Vectors } from '../vectors.ts'

export interface Stores {
  readonly db: Database
  readonly vectors: Vectors
  readonly cache: ListingCache
}

/** Keys for which `look` gives the same twice, and which no effect of this kind is under way for. */
async function confirmed(
  db: Database,
  kind: string,
  suspects: ReadonlyMap<string, string>,
  look: (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>,
): Promise<string[]> {
  if (suspects.size === 0) return []
  const idle = new Set(await withoutEffect(db, kind, [...suspects.keys()]))
  if (idle.size === 0) return []
  const again = await look([...idle])
  const still = [...again].filter(([key, seen]) => idle.has(key) && suspects.get(key) === seen)
  return still.map(([key]) => key).toSorted()
}

/** Those that no effect of this kind is under way for: it is dead, or there is none. */
async function withoutEffect(db: Database, kind: string, keys: readonly string[]): Promise<string[]> {
  const { missing, dead } = await db.effects.recover(kind, { missing: asQuery(keys), limit: keys.length })
  return [...missing, ...dead]
}

function asQuery(keys: readonly string[]): { sql: string; parameters: readonly unknown[] } {
  return { sql: 'SELECT jsonb_array_elements_text($1::jsonb) AS key', parameters: [JSON.stringify(keys)] }
}

/** Of these extractions, those whose row says that they have a vector, and which have none. */
export async function withoutVector({ db, vectors }: Stores, keys: readonly string[]): Promise<string[]> {
  const look = async (ids: readonly string[]): Promise<Map<string, string>> => {
    if (ids.length === 0) return new Map()
    const rows = await db
      .read('strong')
      .selectFrom('extractions')
      .select(['id', 'revision', 'embedded_ms'])
      .where('id', 'in', ids)
      .where('embedding_id', 'is not', null)
      .execute()
    const known = await vectors.known(rows.map(({ id }) => id))
    return new Map(
      rows.filter(({ id }) => !known.has(id)).map((row) => [row.id, `${row.revision} ${row.embedded_ms}`]),
    )
  }
  return await confirmed(db, 'embed', await look(keys), look)
}

/** Of these vectors, those that are there and have no row. */
export async function withoutRow({ db, vectors }: Stores, keys: readonly string[]): Promise<string[]> {
  const look = async (ids: readonly string[]): Promise<Map<string, string>> => {
    const there = [...(await vectors.known(ids))]
    if (there.length === 0) return new Map()
    const rows = await db
      .read('strong')
      .selectFrom('extractions')
      .select('id')
      .where('id', 'in', there)
      .execute()
    const known = new Set(rows.map(({ id }) => id))
    return new Map(there.filter((id) => !known.has(id)).map((id) => [id, '']))
  }
  return await confirmed(db, 'embed', await look(keys), look)
}

/** Of these projects, those whose listing in the cache is not what the rows say. */
export async function withOldListing({ db, cache }: Stores, projects: readonly number[]): Promise<number[]> {
  const look = async (keys: readonly string[]): Promise<Map<string, string>> => {
    const found = new Map<string, string>()
    for (const project of projects) {
      if (!keys.includes(listingKey(project))) continue
      const cached = await cache.peek(project)
      if (cached === undefined) continue
      const fresh = JSON.stringify(await loadListing(db, project, db.read('strong')))
      if (cached !== fresh) found.set(listingKey(project), cached)
    }
    return found
  }
  const old = new Set(await confirmed(db, 'cache', await look(projects.map(listingKey)), look))
  return projects.filter((project) => old.has(listingKey(project)))
}

/** Rows that wait for an effect which they should have. `project` undefined: of all. */
export function waitingRows(
  kind: 'scrape' | 'embed' | 'llm',
  project: number | undefined,
  most: number,
): { sql: string; parameters: readonly unknown[] } {
  const of = project === undefined ? '' : ' AND project = $2'
  const parameters = project === undefined ? [most] : [most, project]
  const revision = "json_build_object('revision', revision) AS payload"
  const submission = "json_build_object('submission', submission) AS payload"
  const from = {
    scrape: `${submission} FROM sources WHERE state IN ('waiting', 'leaving')`,
    embed: `${revision} FROM extractions WHERE embedding_id IS NULL AND embed_state = 'waiting'`,
    llm: `${revision} FROM extractions WHERE llm_state = 'waiting'`,
  }[kind]
  return { sql: `SELECT id AS key, ${from}${of} ORDER BY project, id LIMIT $1`, parameters }
}
