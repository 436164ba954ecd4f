/** Finds the server that takes writes, and takes the writer's row over from a connection that was lost. */
import type { Runtime } from '../../contracts/runtime.ts'
import { StoreError } from '../../errors.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { Connection, type Backend } from './connection.ts'
import type { Hold } from './fence.ts'
import type { PostgresSettings } from './options.ts'
import { Session } from './session.ts'

/** Tries each address in turn. @throws what the last one said */
export async function openPrimary(
  urls: readonly string[],
  settings: PostgresSettings,
  runtime: Runtime,
): Promise<Connection> {
  let reason: unknown = new StoreError('fatal', 'there is no address to connect to')
  for (const url of urls) {
    try {
      const connection = await Connection.open(url, settings, runtime)
      if (!connection.isStandby) return connection
      connection.destroy()
      reason = isStandby()
    } catch (error) {
      reason = error
    }
  }
  throw reason
}

export function isStandby(): StoreError {
  return new StoreError('transient', 'the server is a standby, which takes no writes', {
    storeCode: '25006',
    hint: 'Give the address of the primary, or of all servers: the one that takes writes is found.',
  })
}

/** Ends the backends that may still be at work for connections that were lost, as far as the server lets us. */
export async function endBackends(connection: Connection, lost: readonly Backend[]): Promise<void> {
  const session = new Session(connection)
  const sql =
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ? AND backend_start = ?::timestamptz'
  for (const { pid, startedAt } of lost)
    await session.own(sql, [pid, startedAt]).catch((error: unknown) => {
      if (connection.isLost) throw error
    })
}

/**
 * Takes the writer's row: the old connection's batches, wherever they are on their way, move no tidemark any more.
 *
 * It waits for a commit that is under way there, and then commits itself: where commits wait for a standby, that it
 * has answered means that everything before has reached it too, also what the old connection never told.
 *
 * @returns undefined when the database does not know the writer
 */
export async function takeOver(connection: Connection, { writer, epoch }: Owner): Promise<Hold | undefined> {
  const session = new Session(connection)
  // A database that was restored from before its first writer has not even the table.
  if (!(await session.dialect.hasTable(session, 'tidemark_writers'))) return undefined
  const { rows } = await session.own(
    'UPDATE tidemark_writers SET holder = holder + 1 WHERE epoch = ? AND writer = ? RETURNING holder',
    [epoch, writer],
  )
  const [row] = rows
  return row && { connection, holder: Number(row['holder']) }
}

/** Whether the connection is there, with nothing open on it, its server takes writes, and the row is still its own. */
export async function isUsable({ connection, holder }: Hold, { writer, epoch }: Owner): Promise<boolean> {
  if (connection.isLost || connection.isInTransaction) return false
  try {
    const { rows } = await new Session(connection).own(
      'SELECT holder FROM tidemark_writers WHERE epoch = ? AND writer = ? AND NOT pg_is_in_recovery()',
      [epoch, writer],
    )
    // An attempt to take it over that was given up may have reached the server late.
    return rows.length > 0 && Number(rows[0]?.['holder']) === holder
  } catch {
    return false
  }
}
