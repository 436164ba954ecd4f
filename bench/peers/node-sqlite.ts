/** node:sqlite on the main thread, blocking: what Node ships, used as its documentation shows. */

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
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
  const commit = inTransaction(db, (first, count) => {
    for (let index = first; index < first + count; index++) runRow(insert, rows.at(index))
  })
  return peer(db, inCommits({ rowsPerCommit, commitsPerTick: 1 }, commit))
}

export const multiRow: OpenPeer = async (file, rows, { rowsPerCommit, rowsPerStatement }) => {
  const db = openDatabase(file)
  const insert = db.prepare(insertSql(1))
  const insertMany = db.prepare(insertSql(rowsPerStatement))
  const values: SQLInputValue[] = new Array(rowsPerStatement * 5)
  const commit = inTransaction(db, (first, count) => {
    let index = first
    const end = first + count
    for (; index + rowsPerStatement <= end; index += rowsPerStatement) {
      fillValues(values, rows, index, rowsPerStatement)
      insertMany.run(...values)
    }
    for (; index < end; index++) runRow(insert, rows.at(index))
  })
  return peer(db, inCommits({ rowsPerCommit, commitsPerTick: 1 }, commit))
}

function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  for (const pragma of PRAGMAS) db.exec(`PRAGMA ${pragma}`)
  return db
}

function inTransaction(db: DatabaseSync, work: (first: number, count: number) => void): typeof work {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  return (first, count) => {
    begin.run()
    work(first, count)
    commit.run()
  }
}

function runRow(insert: StatementSync, row: Row): void {
  insert.run(row.ts, row.level, row.service, row.message, row.attributes)
}

function peer(db: DatabaseSync, write: Peer['write'], insertOne?: Peer['insertOne']): Peer {
  return {
    sqliteVersion: String(process.versions['sqlite']),
    write,
    ...(insertOne && { insertOne }),
    close: () => db.close(),
  }
}
