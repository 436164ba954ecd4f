/** better-sqlite3, blocking: every insert a commit, row by row in transactions, or multi-row VALUES in them. */

import Database from 'better-sqlite3'
import type { Row } from '../workloads/rows.ts'
import { fillValues, inCommits, insertSql, PRAGMAS, type OpenPeer, type Peer } from './peer.ts'

const COMMITS_PER_TICK = 50

export const autocommit: OpenPeer = async (file, rows) => {
  const db = openDatabase(file)
  const insert = db.prepare(insertSql(1))
  const insertOne = (index: number): void => runRow(insert, rows.at(index))
  return peer(db, inCommits({ rowsPerCommit: 1, commitsPerTick: COMMITS_PER_TICK }, insertOne), insertOne)
}

export const rowByRow: OpenPeer = async (file, rows, { rowsPerCommit }) => {
  const db = openDatabase(file)
  const insert = db.prepare(insertSql(1))
  const commit = db.transaction((first: number, count: number) => {
    for (let index = first; index < first + count; index++) runRow(insert, rows.at(index))
  })
  return peer(db, inCommits({ rowsPerCommit, commitsPerTick: 1 }, commit))
}

export const multiRow: OpenPeer = async (file, rows, { rowsPerCommit, rowsPerStatement }) => {
  const db = openDatabase(file)
  const insert = db.prepare(insertSql(1))
  const insertMany = db.prepare(insertSql(rowsPerStatement))
  const values: unknown[] = new Array(rowsPerStatement * 5)
  const commit = db.transaction((first: number, count: number) => {
    let index = first
    const end = first + count
    for (; index + rowsPerStatement <= end; index += rowsPerStatement) {
      fillValues(values, rows, index, rowsPerStatement)
      insertMany.run(values)
    }
    for (; index < end; index++) runRow(insert, rows.at(index))
  })
  return peer(db, inCommits({ rowsPerCommit, commitsPerTick: 1 }, commit))
}

function openDatabase(file: string): Database.Database {
  const db = new Database(file)
  for (const pragma of PRAGMAS) db.pragma(pragma)
  return db
}

function runRow(insert: Database.Statement, row: Row): void {
  insert.run(row.ts, row.level, row.service, row.message, row.attributes)
}

function peer(db: Database.Database, write: Peer['write'], insertOne?: Peer['insertOne']): Peer {
  const sqliteVersion = String(db.prepare('SELECT sqlite_version()').pluck().get())
  return { sqliteVersion, write, ...(insertOne && { insertOne }), close: () => void db.close() }
}
