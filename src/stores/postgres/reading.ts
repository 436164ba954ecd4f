/** What a read asks of a connection: the query, and the tidemarks in the same snapshot. */
import type { Epoch, Mark } from '../../contracts/position.ts'
import type { QueryResult, Snapshot, SqlQuery, WriterTidemark } from '../../contracts/store.ts'
import { readTidemarks } from '../../sql/bookkeeping.ts'
import { asRead } from '../../sql/failure.ts'
import { asStoreError } from './classify.ts'
import type { Connection } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import { Session } from './session.ts'
import { textOf } from './values.ts'

/** What was required is read first; only then it is known whether the query may run. */
export interface Bookkeeping {
  readonly database: string
  readonly tidemarks: readonly WriterTidemark[]
  readonly forgottenUpTo: Epoch
}

/** @param name under which the server keeps it prepared */
export async function runQuery(
  connection: Connection,
  { sql, parameters, asArrays = false }: SqlQuery,
  name?: string,
): Promise<QueryResult> {
  try {
    const { rows, count } = await connection.query({
      sql,
      parameters: parameters.map(textOf),
      asArrays,
      name,
    })
    return { rows, changes: count, lastInsertId: undefined }
  } catch (error) {
    throw asRead(asStoreError(error, 'not-committed'), postgresDialect.codes.readOnly)
  }
}

/**
 * Begins a snapshot, reads the bookkeeping in it, and the query if `isFresh` says so. Where nothing has to be looked
 * at first, all goes out at once.
 */
export async function runInSnapshot(
  connection: Connection,
  query: SqlQuery,
  required: readonly Mark[],
  isFresh: ((found: Bookkeeping) => boolean | Promise<boolean>) | undefined,
): Promise<Snapshot & { readonly database: string }> {
  try {
    const { known, asked } = connection.together(() => {
      const begun = connection.query({ sql: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' })
      return {
        known: Promise.all([begun, readBookkeeping(connection, required)]),
        asked: isFresh ? undefined : runQuery(connection, query),
      }
    })
    asked?.catch(() => undefined)
    const [, found] = await known
    const result = (await isFresh?.(found)) ? runQuery(connection, query) : asked
    return { ...found, result: await result }
  } finally {
    // Nobody waits for its answer: whatever is sent next stands behind it.
    connection.query({ sql: 'ROLLBACK' }).catch(() => undefined)
  }
}

async function readBookkeeping(connection: Connection, required: readonly Mark[]): Promise<Bookkeeping> {
  const session = new Session(connection)
  const [tidemarks, { rows }] = await Promise.all([
    readTidemarks(session, required),
    session.own('SELECT id, forgotten_epoch FROM tidemark_database'),
  ])
  return {
    database: String(rows[0]?.['id']),
    tidemarks,
    forgottenUpTo: Number(rows[0]?.['forgotten_epoch'] ?? 0) as Epoch,
  }
}
