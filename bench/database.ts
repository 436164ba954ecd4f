/**
 * The benchmark's own look at a contender's file: made before the contender starts, checked after it
 * has ended, so that no process ever has the file open twice with two libraries.
 */

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CREATE_ITEMS, CREATE_LOGS, createRowPool, FIRST_TS, type RowPool } from './workloads/rows.ts'

export function createDatabase(file: string): void {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; ${CREATE_LOGS}`)
  db.close()
}

/** The tables of the read benchmark: one for rows at full rate, one that has `rows` rows with keys from 1 on. */
export function createItems(file: string, rows: number, rowBytes: number): void {
  const pool = poolOf(rowBytes)
  createDatabase(file)
  const db = new DatabaseSync(file)
  db.exec(CREATE_ITEMS)
  const insert = db.prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)')
  db.exec('BEGIN')
  for (let id = 1; id <= rows; id++) {
    const { ts, level, service, message, attributes } = pool.at(id)
    insert.run(id, ts, level, service, message, attributes)
  }
  db.exec('COMMIT')
  db.close()
}

/** The write-ahead log as SQLite itself counts it. */
export interface LogState {
  /** Transactions that have changed the database since it was made. */
  readonly commits: number
  /** The most the log ever held: its file does not shrink while it is in use. */
  readonly bytes: number
  /** What is in the log and not yet copied back: work put off to later. */
  readonly pagesLeft: number
}

/**
 * Read from the index of the log, the -shm file (https://www.sqlite.org/walformat.html): the counter of
 * transactions and the last frame are in its header, the last frame copied back stands after its two copies.
 * Another process reads it, so no contender counts for itself, and it is safe there: closing this
 * descriptor drops only locks of this process, which has none.
 */
export function readLogState(file: string): LogState {
  const descriptor = openSync(`${file}-shm`, 'r')
  try {
    const words = new Uint32Array(25)
    readSync(descriptor, words, 0, words.byteLength, 0)
    const [commits = 0, lastFrame = 0, lastCopied = 0] = [words[2], words[4], words[24]]
    return { commits, bytes: statSync(`${file}-wal`).size, pagesLeft: lastFrame - lastCopied }
  } finally {
    closeSync(descriptor)
  }
}

const pools = new Map<number, RowPool>()

function poolOf(rowBytes: number): RowPool {
  const pool = pools.get(rowBytes) ?? createRowPool(rowBytes)
  pools.set(rowBytes, pool)
  return pool
}

/** Throws unless the table holds exactly rows 0 … `rows - 1` of the pool, once each, in order, whole. */
export function verifyRows(file: string, rows: number, rowBytes: number): void {
  const pool = poolOf(rowBytes)
  const sizes = Array.from({ length: pool.size }, (_, index) => {
    const row = pool.at(index)
    return row.level.length + row.service.length + row.message.length + row.attributes.length
  })
  let bytes = Math.floor(rows / pool.size) * sizes.reduce((sum, size) => sum + size, 0)
  for (let index = 0; index < rows % pool.size; index++) bytes += sizes[index] as number
  const expected = { rows, maxId: rows, misplaced: 0, bytes }
  const db = new DatabaseSync(file, { readOnly: true })
  const found = db
    .prepare(
      `SELECT count(*) AS rows, max(id) AS maxId,
              coalesce(sum(ts <> ${FIRST_TS} + (id - 1) % ${pool.size}), 0) AS misplaced,
              coalesce(sum(length(level) + length(service) + length(message) + length(attributes)), 0) AS bytes
       FROM logs`,
    )
    .get()
  db.close()
  for (const [name, value] of Object.entries(expected)) {
    if (found?.[name] !== value) throw new Error(`${name} should be ${value}, the file says ${found?.[name]}`)
  }
}

/** Throws unless the table holds exactly `rows` rows, in whatever order. */
export function verifyCount(file: string, rows: number): void {
  const db = new DatabaseSync(file, { readOnly: true })
  const found = db.prepare('SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM logs').get()
  db.close()
  if (found?.['rows'] !== rows || found['ids'] !== rows) {
    throw new Error(`there should be ${rows} rows, the file has ${found?.['rows']}`)
  }
}

/** Throws unless the tables hold so many rows. What is in them, their readers have compared. */
export function verifyTables(file: string, expected: Readonly<Record<string, number>>): void {
  const db = new DatabaseSync(file, { readOnly: true })
  for (const [table, rows] of Object.entries(expected)) {
    const found = db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']
    if (found !== rows) throw new Error(`${table} should have ${rows} rows, the file has ${found}`)
  }
  db.close()
}
