/** What the tests of live scopes share. */
import type { LiveChildren, LiveScope, TidemarkError } from '../index.ts'
import type { AnyTidemark, Stage } from './stage.ts'

type DB = Record<string, Record<string, unknown>>
type Children = { readonly chapters: 'book'; readonly notes: 'book' }

export const tables: readonly string[] = [
  `CREATE TABLE books (id TEXT PRIMARY KEY, stage TEXT NOT NULL, pages INTEGER, CHECK (stage <> 'burnt'))`,
  'CREATE TABLE chapters (book TEXT NOT NULL, n INTEGER NOT NULL, title TEXT NOT NULL, PRIMARY KEY (book, n))',
  'CREATE TABLE notes (id INTEGER PRIMARY KEY, book TEXT NOT NULL, body TEXT)',
]
export const children: Children = { chapters: 'book', notes: 'book' }
export const moby: { readonly id: string } = { id: 'moby' }

export function live(
  db: AnyTidemark,
  key: Record<string, unknown> = moby,
  timeoutMs = 20_000,
): Promise<LiveScope<DB, string, Children & LiveChildren<DB>>> {
  return db.live<string, Children & LiveChildren<DB>>('books', key, { children, timeoutMs })
}

/** The code of what a call fails with. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'nothing'
  } catch (error) {
    return (error as TidemarkError).code
  }
}

export function committed(at: Stage): Promise<Record<string, unknown>[]> {
  return at.outside(at.db.dialect === 'surrealql' ? committedInSurrealQl : committedSql)
}

const committedSql =
  'SELECT b.id, b.stage, (SELECT count(*) FROM chapters c WHERE c.book = b.id) AS chapters FROM books b ORDER BY 1'
const committedInSurrealQl = `SELECT id, stage,
    array::len((SELECT VALUE n FROM \`chapters\` WHERE book = record::id($parent.id))) AS chapters
  FROM books ORDER BY id`
