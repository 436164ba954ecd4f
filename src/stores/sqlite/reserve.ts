/**
 * Takes ids of a table away from everybody, by raising what `sqlite_sequence` notes of it.
 *
 * Keeps: law 3 (SQLite gives no row of an AUTOINCREMENT table an id at or below that number, whoever inserts it:
 * https://www.sqlite.org/autoinc.html). It breaks for a table without AUTOINCREMENT, whose next id is the highest one
 * in it plus 1, whatever was noted; and when somebody writes ids of their own, or changes `sqlite_sequence`.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { IdRange } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import type { DatabaseSchema } from './schema.ts'
import { quote } from './statements.ts'

/** Inside a transaction that has the write lock. @throws StoreError `rejected` */
export function takeIds(
  database: DatabaseSync,
  schema: DatabaseSchema,
  table: string,
  count: number,
): IdRange {
  const key = schema.tables.get(table)?.generatedId
  if (key === undefined || schema.traits.get(table)?.isAutoincrement !== true)
    throw new StoreError('rejected', `the ids of table "${table}" cannot be preallocated`, {
      hint: 'SQLite keeps ids from other writers only where the key is declared `INTEGER PRIMARY KEY AUTOINCREMENT`.',
    })
  return raiseSequence(database, table, key, count)
}

/** The same of any table that is declared so. */
export function raiseSequence(database: DatabaseSync, table: string, key: string, count: number): IdRange {
  // As SQLite itself does it: a row may have come to a higher id by an UPDATE, which notes nothing.
  const query = database.prepare(
    `SELECT cast(max(coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = ?), 0),
       coalesce((SELECT max(${quote(key)}) FROM ${quote(table)}), 0)) AS INTEGER) AS id`,
  )
  query.setReadBigInts(true)
  const last = query.get(table)?.['id'] as bigint
  const raised = last + BigInt(count)
  if (raised > BigInt(Number.MAX_SAFE_INTEGER))
    throw new StoreError(
      'rejected',
      `table "${table}" has ids near 2^53, and larger ones are no exact numbers`,
    )
  if (database.prepare('UPDATE sqlite_sequence SET seq = ? WHERE name = ?').run(raised, table).changes === 0)
    database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, raised)
  return { first: Number(last) + 1, count }
}
