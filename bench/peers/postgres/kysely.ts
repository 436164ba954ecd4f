/** Kysely on `pg`, as its documentation shows: awaited inserts, one row, or many in one list of values. */
import { Kysely, PostgresDialect, type Generated } from 'kysely'
import { Pool } from 'pg'
import { logRows, type LogRow } from '../../workloads/postgres/rows.ts'
import { inCommits } from '../peer.ts'
import { AWAITING, type OpenPostgresPeer } from './peer.ts'

interface Tables {
  logs: LogRow & { readonly id: Generated<number> }
}

export const single: OpenPostgresPeer = async (url) => {
  const db = openDatabase(url)
  const rowAt = logRows()
  const insertOne = (index: number): Promise<unknown> =>
    db.insertInto('logs').values(rowAt(index)).executeTakeFirst()
  const write = inCommits({ rowsPerCommit: 1, commitsPerTick: AWAITING }, insertOne)
  return { write, insertOne, close: () => db.destroy() }
}

export const batch: OpenPostgresPeer = async (url, _rows, { rowsPerCommit }) => {
  const db = openDatabase(url)
  const rowAt = logRows()
  const write = inCommits({ rowsPerCommit, commitsPerTick: AWAITING }, (first, count) => {
    const values = Array.from({ length: count }, (_, offset) => rowAt(first + offset))
    return db.insertInto('logs').values(values).execute()
  })
  return { write, close: () => db.destroy() }
}

function openDatabase(url: string): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new Pool({ connectionString: url }) }) })
}
