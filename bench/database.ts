/**
 * The benchmark's own look at a contender's file: made before the contender starts, checked after it
 * has ended, so that no process ever has the file open twice with two libraries.
 */

import { closeSync, openSync, readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CREATE_LOGS, createRowPool, FIRST_TS, type RowPool } from './workloads/rows.ts'

export function createDatabase(file: string): void {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; ${CREATE_LOGS}`)
  db.close()
}

/**
 * How many transactions have changed the database: SQLite counts them in the index of the WAL
 * (`iChange`, bytes 8–11 of the -shm file). Read from another process, so no contender counts for
 * itself, and safe there: closing this descriptor drops only locks of this process, which has none.
 */
export function readCommitCounter(file: string): number {
  const descriptor = openSync(`${file}-shm`, 'r')
  try {
    const counter = new Uint32Array(1)
    readSync(descriptor, counter, 0, 4, 8)
    return counter[0] as number
  } finally {
    closeSync(descriptor)
  }
}

const pools = new Map<number, RowPool>()

/** Throws unless the table holds exactly rows 0 … `rows - 1` of the pool, once each, in order, whole. */
export function verifyRows(file: string, rows: number, rowBytes: number): void {
  const pool = pools.get(rowBytes) ?? createRowPool(rowBytes)
  pools.set(rowBytes, pool)
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
