/** Drizzle on `pg`, as its documentation shows: awaited inserts, one row, or many in one list of values. */
import { drizzle } from 'drizzle-orm/node-postgres'
import { bigint, doublePrecision, pgTable, text } from 'drizzle-orm/pg-core'
import { Pool } from 'pg'
import { logRows } from '../../workloads/postgres/rows.ts'
import { inCommits } from '../peer.ts'
import { AWAITING, type OpenPostgresPeer } from './peer.ts'

const logs = pgTable('logs', {
  id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  at: bigint({ mode: 'number' }).notNull(),
  level: text().notNull(),
  message: text().notNull(),
  size: doublePrecision().notNull(),
})

export const single: OpenPostgresPeer = async (url) => {
  const { pool, db } = openDatabase(url)
  const rowAt = logRows()
  const insertOne = async (index: number): Promise<unknown> => await db.insert(logs).values(rowAt(index))
  const write = inCommits({ rowsPerCommit: 1, commitsPerTick: AWAITING }, insertOne)
  return { write, insertOne, close: () => pool.end() }
}

export const batch: OpenPostgresPeer = async (url, _rows, { rowsPerCommit }) => {
  const { pool, db } = openDatabase(url)
  const rowAt = logRows()
  const write = inCommits({ rowsPerCommit, commitsPerTick: AWAITING }, async (first, count) => {
    const values = Array.from({ length: count }, (_, offset) => rowAt(first + offset))
    await db.insert(logs).values(values)
  })
  return { write, close: () => pool.end() }
}

function openDatabase(url: string) {
  const pool = new Pool({ connectionString: url })
  return { pool, db: drizzle({ client: pool }) }
}
