/** Extractions of a project as they are shown. */
import type { Database } from '../database.ts'
import type { DB, StepState } from '../tables.ts'

export interface ListedExtraction {
  readonly id: string
  readonly uri: string
  readonly title: string
  readonly summary: string | null
  readonly embedding_id: string | null
  readonly embed_state: StepState
  readonly llm_state: StepState
  readonly extracted_ms: number
}

export interface Listing {
  readonly extractions: readonly ListedExtraction[]
}

/** A listing holds the newest so many. */
export const listingSize = 100

/** What any of these reads is: `db.read(level)`. */
export type Reads = ReturnType<Database['read']>

export async function loadListing(db: Database, project: number, reads?: Reads): Promise<Listing> {
  const extractions = await (reads ?? db.read('eventual'))
    .selectFrom('extractions')
    .innerJoin('sources', 'sources.id', 'extractions.id')
    .select([
      'extractions.id',
      'sources.uri',
      'extractions.title',
      'extractions.summary',
      'extractions.embedding_id',
      'extractions.embed_state',
      'extractions.llm_state',
      'extractions.extracted_ms',
    ])
    .where('extractions.project', '=', project)
    .orderBy('extractions.extracted_ms', 'desc')
    .orderBy('extractions.id')
    .limit(listingSize)
    .execute()
  return { extractions }
}

export async function loadEntities(
  reads: Reads,
  project: number,
  { kind, extraction, limit }: { kind?: string; extraction?: string; limit: number },
): Promise<readonly DB['entities'][]> {
  let query = reads
    .selectFrom('entities')
    .innerJoin('extractions', 'extractions.id', 'entities.extraction')
    .select(['entities.extraction', 'entities.kind', 'entities.name', 'entities.count', 'entities.origin'])
    .where('extractions.project', '=', project)
  if (kind !== undefined) query = query.where('entities.kind', '=', kind)
  if (extraction !== undefined) query = query.where('entities.extraction', '=', extraction)
  return await query
    .orderBy('entities.count', 'desc')
    .orderBy('entities.kind')
    .orderBy('entities.name')
    .orderBy('entities.extraction')
    .limit(limit)
    .execute()
}
