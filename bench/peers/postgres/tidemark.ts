/** Tidemark on PostgreSQL with its defaults: accepted without waiting, pushed back when the queue is full. */
import type { Generated } from 'kysely'
import { postgres, type PostgresOptions } from '../../../src/stores/postgres/index.ts'
import { open, type Tidemark } from '../../../src/tidemark.ts'
import type { Receipt } from '../../../src/writes/receipt.ts'
import { eventRows, logRows, type EventRow, type LogRow } from '../../workloads/postgres/rows.ts'
import { pushing } from '../tidemark.ts'
import type { OpenPostgresPeer } from './peer.ts'

export interface Tables {
  logs: LogRow & { readonly id: Generated<number> }
  events: EventRow & { readonly id: Generated<number> }
}

export function openPostgres(
  url: string,
  rowsPerCommit?: number,
  options: PostgresOptions = {},
): Promise<Tidemark<Tables>> {
  return open<Tables>(
    postgres(url, options),
    rowsPerCommit === undefined ? {} : { batch: { maxOperations: rowsPerCommit } },
  )
}

export const tidemark: OpenPostgresPeer = async (url, { table }, { rowsPerCommit, rowsPerTick }) => {
  const db = await openPostgres(url, rowsPerCommit)
  const insert = table === 'logs' ? intoLogs(db) : intoEvents(db)
  return { write: pushing(db, rowsPerTick, insert), insertOne: insert, close: () => db.close() }
}

function intoLogs(db: Tidemark<Tables>): (index: number) => Receipt {
  const rowAt = logRows()
  return (index) => db.insert('logs', rowAt(index))
}

function intoEvents(db: Tidemark<Tables>): (index: number) => Receipt {
  const rowAt = eventRows()
  return (index) => db.insert('events', rowAt(index))
}
