/**
 * Mends what does not agree: each row, vector and listing gets the effect that has its store agree with the rows. A dry run tells
 * the same and changes nothing. Safe beside writes and deliveries; bounded by `limit` and by the time of a request.
 */
import { listingKey } from '../pipeline/cache.ts'
import { waitingRows, withoutRow, withoutVector, withOldListing, type Stores } from './compare.ts'

export interface RecoverRequest {
  readonly project: number
  readonly dryRun: boolean
  /** Of each sort, in one call. */
  readonly limit: number
}

export interface Report {
  readonly dryRun: boolean
  readonly postgres: {
    /** Rows that wait for an effect, and have none: given one. */
    readonly sourcesWithoutScrape: readonly string[]
    readonly extractionsWithoutEmbed: readonly string[]
    readonly extractionsWithoutRequest: readonly string[]
    /** Rows that wait, and whose effects are on their way. */
    readonly underWay: number
    /** Rows whose effect was given up: redrive it. */
    readonly givenUp: readonly string[]
  }
  readonly vectors: {
    /** Rows that say that they have a vector, and have none: embedded again. */
    readonly rowsWithoutVectors: readonly string[]
    /** Vectors of this project without a row: deleted. */
    readonly vectorsWithoutRows: readonly string[]
  }
  readonly redis: {
    /** Listings that are not what the rows say: removed. */
    readonly oldListings: readonly string[]
  }
  /** How many effects were enqueued; 0 in a dry run. */
  readonly enqueued: number
  /** There may be more: call it again. */
  readonly isMore: boolean
}

const pageSize = 1_000
/** So many pages of each store are looked at in one call. */
const mostPages = 100

export async function recover(stores: Stores, { project, dryRun, limit }: RecoverRequest): Promise<Report> {
  const { db } = stores
  const given = { dryRun, limit }
  const looked = limit * 2
  const [scrape, embed, llm] = await Promise.all(
    (['scrape', 'embed', 'llm'] as const).map((kind) =>
      db.effects.recover(kind, { ...given, missing: waitingRows(kind, project, looked) }),
    ),
  )
  const lacking = await findLacking(stores, project, limit)
  const orphans = await findOrphans(stores, project, limit)
  const oldListings = (await withOldListing(stores, [project])).map(listingKey)
  const repeated = [...lacking.keys, ...orphans.keys]
  let enqueued = 0
  if (!dryRun) {
    for (const [kind, keys] of [
      ['embed', repeated],
      ['cache', oldListings],
    ] as const) {
      if (keys.length === 0) continue
      const payload = kind === 'cache' ? { op: 'invalidate' } : null
      await db.enqueue(...keys.map((key) => ({ kind, key, payload })))
      enqueued += keys.length
    }
    for (const recovery of [scrape, embed, llm]) enqueued += recovery?.missing.length ?? 0
  }
  const all = [scrape, embed, llm].flatMap((recovery) => recovery ?? [])
  return {
    dryRun,
    postgres: {
      sourcesWithoutScrape: scrape?.missing ?? [],
      extractionsWithoutEmbed: embed?.missing ?? [],
      extractionsWithoutRequest: llm?.missing ?? [],
      underWay: all.reduce((sum, { underWay }) => sum + underWay, 0),
      givenUp: [...new Set(all.flatMap(({ dead }) => dead))],
    },
    vectors: { rowsWithoutVectors: lacking.keys, vectorsWithoutRows: orphans.keys },
    redis: { oldListings },
    enqueued,
    isMore:
      lacking.isMore ||
      orphans.isMore ||
      all.some(
        ({ missing, underWay, dead, isMore }) => isMore || missing.length + underWay + dead.length >= looked,
      ),
  }
}

interface FoundKeys {
  readonly keys: readonly string[]
  readonly isMore: boolean
}

async function findLacking(stores: Stores, project: number, limit: number): Promise<FoundKeys> {
  const keys: string[] = []
  let after = ''
  for (let page = 0; page < mostPages; page++) {
    const rows = await stores.db
      .read('strong')
      .selectFrom('extractions')
      .select('id')
      .where('project', '=', project)
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageSize)
      .execute()
    keys.push(
      ...(await withoutVector(
        stores,
        rows.map(({ id }) => id),
      )),
    )
    if (keys.length >= limit) return { keys: keys.slice(0, limit), isMore: true }
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageSize) return { keys, isMore: false }
    after = last.id
  }
  return { keys, isMore: true }
}

async function findOrphans(stores: Stores, project: number, limit: number): Promise<FoundKeys> {
  const keys: string[] = []
  let after: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const { vectors, next } = await stores.vectors.list(after, pageSize)
    const own = vectors.filter((vector) => vector.project === project).map(({ id }) => id)
    keys.push(...(await withoutRow(stores, own)))
    if (keys.length >= limit) return { keys: keys.slice(0, limit), isMore: true }
    if (next === undefined) return { keys, isMore: false }
    after = next
  }
  return { keys, isMore: true }
}
