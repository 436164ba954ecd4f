/**
 * What a contender of `npm run bench -- reads` is: something that is written to at full rate, in chunks, and that
 * answers reads meanwhile. Whatever it cannot do it leaves out.
 */

import type { Row, RowPool } from '../../workloads/rows.ts'

/** A row with a key of its own. */
export interface Item extends Row {
  readonly id: number
}

export type Maybe<T> = T | Promise<T>

export interface ReadPeer {
  readonly sqliteVersion: string
  /** So many rows of the pool, from number `first` on, into a table where the database makes the keys. */
  writeRows?(first: number, count: number): Maybe<void>
  /** The same with keys, `first` being the first of them. */
  writeItems?(first: number, count: number): Maybe<void>
  /** Everything written so far is committed. */
  flush?(): Promise<void>
  /** Writes one row, alone, and reads it back by its key. */
  writeAndRead?(id: number): Maybe<Item | undefined>
  /** By key, as everybody reads: with SQL. */
  read?(id: number): Maybe<Item | undefined>
  /** So many rows in the order of their keys. */
  readRange?(first: number, count: number): Maybe<readonly Item[]>
  /** By key, in the fastest way there is. Where it is pending, the contender has not committed it yet. */
  get?(id: number): Maybe<{ readonly row: Item | undefined; readonly pending: boolean }>
  close(): Maybe<void>
}

export interface ReadPeerSettings {
  /** What the queue of Tidemark takes. */
  readonly maxOperations: number
  readonly lingerMs: number
  /** Threads that read, where a contender reads on threads. */
  readonly readers: number
}

export type OpenReadPeer = (file: string, rows: RowPool, settings: ReadPeerSettings) => Promise<ReadPeer>

export const COLUMNS = ['ts', 'level', 'service', 'message', 'attributes'] as const
const named = COLUMNS.join(', ')
export const INSERT_ROW = `INSERT INTO logs (${named}) VALUES (?, ?, ?, ?, ?)`
export const INSERT_ITEM = `INSERT INTO items (id, ${named}) VALUES (?, ?, ?, ?, ?, ?)`
export const SELECT_ITEM = `SELECT id, ${named} FROM items WHERE id = ?`
export const SELECT_RANGE = `SELECT id, ${named} FROM items WHERE id >= ? ORDER BY id LIMIT ?`

export function valuesOf({
  ts,
  level,
  service,
  message,
  attributes,
}: Row): [number, string, string, string, string] {
  return [ts, level, service, message, attributes]
}
