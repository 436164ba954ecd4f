/**
 * Tidemark: accepted without waiting, pushed back when the queue is full, flushed at the end.
 *
 * `steady` lets the event loop turn after every `rowsPerTick` rows, as a source that reads a socket
 * does. `greedy` writes until the queue is full: the worst a caller can do to its own event loop.
 */

import { QueueFullError } from '../../src/errors.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { open, type Tidemark } from '../../src/tidemark.ts'
import type { Receipt } from '../../src/writes/receipt.ts'
import type { Row } from '../workloads/rows.ts'
import {
  AUTOCHECKPOINT_PAGES,
  BUSY_TIMEOUT_MS,
  CACHE_BYTES,
  JOURNAL_SIZE_LIMIT_BYTES,
  nextTurn,
  type OpenPeer,
  type Peer,
} from './peer.ts'

export interface Tables {
  logs: Row
}

export interface EngineOptions {
  readonly maxOperations?: number
  readonly rowsPerCommit?: number
  readonly lingerMs?: number
  readonly maxBytes?: number
  readonly whenFull?: 'reject' | 'wait'
  readonly readers?: number
  readonly busyTimeoutMs?: number
}

/** With the pragmas that all contenders share. */
export function benchStore(file: string, options: Pick<EngineOptions, 'readers' | 'busyTimeoutMs'> = {}) {
  return sqlite(file, {
    durability: 'process',
    cacheBytes: CACHE_BYTES,
    journalSizeLimitBytes: JOURNAL_SIZE_LIMIT_BYTES,
    walAutocheckpoint: AUTOCHECKPOINT_PAGES,
    busyTimeoutMs: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
    ...(options.readers !== undefined && { readers: options.readers }),
  })
}

/** The engine as every section uses it: its defaults. */
export function openEngine<DB extends object = Tables>(
  file: string,
  options: EngineOptions = {},
): Promise<Tidemark<DB>> {
  return open<DB>(benchStore(file, options), {
    queue: {
      maxOperations: options.maxOperations ?? 10_000,
      ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }),
      whenFull: options.whenFull ?? 'reject',
    },
    batch: { maxOperations: options.rowsPerCommit ?? 1_000, lingerMs: options.lingerMs ?? 5 },
  })
}

/** Undefined when the row did not fit: the queue may have room for a row, and not for one of this size. */
export function tryInsert(db: Tidemark<Tables>, row: Row): Receipt | undefined {
  return ifItFits((one) => db.insert('logs', one), row)
}

function ifItFits<Given>(insert: (given: Given) => Receipt, given: Given): Receipt | undefined {
  try {
    return insert(given)
  } catch (error) {
    if (error instanceof QueueFullError) return undefined
    throw error
  }
}

/** Hands rows over, `rowsPerTick` before the event loop turns, and waits while the queue is full. */
export function pushing<DB extends object>(
  db: Tidemark<DB>,
  rowsPerTick: number,
  insert: (index: number) => Receipt,
): Peer['write'] {
  return async (first, count, latency) => {
    const stopListening = db.on('commit', ({ tidemark }) => latency.committedUpTo(tidemark.seq))
    let rowsThisTick = 0
    for (let index = first; index < first + count; index++) {
      if (db.isFull) await db.ready()
      let receipt = ifItFits(insert, index)
      while (!receipt) {
        await db.ready()
        receipt = ifItFits(insert, index)
      }
      if (index % 100 === 0) latency.accepted(receipt.position.seq)
      if (++rowsThisTick >= rowsPerTick) {
        rowsThisTick = 0
        await nextTurn()
      }
    }
    await db.flush()
    stopListening()
  }
}

export const steady: OpenPeer = (file, rows, settings) => openPeer(file, rows, settings)

export const greedy: OpenPeer = (file, rows, settings) =>
  openPeer(file, rows, { ...settings, rowsPerTick: Infinity })

const openPeer: OpenPeer = async (file, rows, { rowsPerCommit, rowsPerTick }) => {
  // A queue of two batches at least: one commits while the next one fills.
  const maxOperations = Math.max(10_000, 2 * rowsPerCommit)
  const db = await openEngine(file, { rowsPerCommit, maxOperations })
  const write = pushing(db, rowsPerTick, (index) => db.insert('logs', rows.at(index)))
  return {
    sqliteVersion: String(process.versions['sqlite']),
    write,
    insertOne: (index) => db.insert('logs', rows.at(index)),
    close: () => db.close(),
  }
}
