/** One hash over everything that a run has found, whichever way it was written. */
import { createHash } from 'node:crypto'
import type { DB } from './tables.ts'
import type { Tidemark } from './tidemark.ts'

const queries = [
  // Where the file lies is no result.
  'SELECT id FROM jobs ORDER BY id',
  'SELECT * FROM books ORDER BY id',
  'SELECT * FROM pages ORDER BY book, n',
  'SELECT * FROM entries ORDER BY book, n',
  'SELECT * FROM chapters ORDER BY book, n',
]

export async function resultHash(db: Tidemark<DB>): Promise<string> {
  const hash = createHash('sha256')
  for (const sql of queries) {
    const { rows } = await db.query({ sql, parameters: [] }, { consistency: 'strong', asArrays: true })
    for (const row of rows) hash.update(JSON.stringify(row)).update('\n')
  }
  return hash.digest('hex')
}
