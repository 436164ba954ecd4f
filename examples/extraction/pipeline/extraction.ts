/** What the handlers of `embed` and `llm` need of a row. */
import type { Database } from '../database.ts'
import type { DB } from '../tables.ts'

export type Extraction = Pick<DB['extractions'], 'id' | 'project' | 'title' | 'body' | 'revision'>

/** Those of them that are there. */
export async function readExtractions(db: Database, ids: readonly string[]): Promise<Extraction[]> {
  return await db
    .read('eventual')
    .selectFrom('extractions')
    .select(['id', 'project', 'title', 'body', 'revision'])
    .where('id', 'in', ids)
    .execute()
}
