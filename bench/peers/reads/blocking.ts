/** A bare driver on the main thread, as its documentation shows: prepared statements, and it blocks. */

import type { SQLInputValue } from 'node:sqlite'
import type { RowPool } from '../../workloads/rows.ts'
import {
  INSERT_ITEM,
  INSERT_ROW,
  SELECT_ITEM,
  SELECT_RANGE,
  valuesOf,
  type Item,
  type ReadPeer,
} from './peer.ts'

/** What both drivers offer under the same names. */
export interface Driver {
  readonly sqliteVersion: string
  prepare(sql: string): Prepared
  close(): void
}

interface Prepared {
  run(...values: SQLInputValue[]): unknown
  get(...values: SQLInputValue[]): unknown
  all(...values: SQLInputValue[]): unknown
}

export function blockingPeer(driver: Driver, rows: RowPool): ReadPeer {
  const [begin, commit] = [driver.prepare('BEGIN IMMEDIATE'), driver.prepare('COMMIT')]
  const [insertRow, insertItem] = [driver.prepare(INSERT_ROW), driver.prepare(INSERT_ITEM)]
  const [select, selectRange] = [driver.prepare(SELECT_ITEM), driver.prepare(SELECT_RANGE)]
  const read = (id: number): Item | undefined => select.get(id) as Item | undefined
  const inTransaction = (first: number, count: number, insert: (index: number) => void): void => {
    begin.run()
    for (let index = first; index < first + count; index++) insert(index)
    commit.run()
  }
  const writeItem = (id: number): void => void insertItem.run(id, ...valuesOf(rows.at(id)))
  return {
    sqliteVersion: driver.sqliteVersion,
    writeRows: (first, count) =>
      inTransaction(first, count, (index) => insertRow.run(...valuesOf(rows.at(index)))),
    writeItems: (first, count) => inTransaction(first, count, writeItem),
    writeAndRead: (id) => {
      writeItem(id)
      return read(id)
    },
    read,
    readRange: (first, count) => selectRange.all(first, count) as Item[],
    get: (id) => ({ row: read(id), pending: false }),
    close: () => driver.close(),
  }
}
