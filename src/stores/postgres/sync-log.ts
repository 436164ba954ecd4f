/** Waits until the log is on the disk: also that of commits which did not wait for it. */
import type { Epoch } from '../../contracts/position.ts'
import { StoreError } from '../../errors.ts'
import type { Connection, WireAnswer } from './connection.ts'
import { begin, requireCommitted } from './session.ts'

/**
 * One commit that waits: the log's one sync covers every commit before it. It waits only if its transaction has written
 * to the log, and having a number is not enough (`RecordTransactionCommit` in PostgreSQL's xact.c); so it writes a
 * message that nobody reads.
 */
export async function syncLog(connection: Connection, epoch: Epoch): Promise<void> {
  const answers = await connection.queryAll([
    { sql: begin },
    { sql: 'SET LOCAL synchronous_commit = on' },
    { sql: "SELECT pg_logical_emit_message(true, 'tidemark', '')" },
    { sql: 'SELECT 1 FROM tidemark_writers WHERE epoch = $1', parameters: [String(epoch)] },
    { sql: 'COMMIT' },
  ])
  const told = answers.map((answer): WireAnswer => {
    if (answer.status === 'rejected') throw answer.reason
    return answer.value
  })
  requireCommitted(told.at(-1) as WireAnswer)
  if (told[3]?.rows.length !== 1)
    throw new StoreError('chain', `the database does not know epoch ${epoch}; nothing was synced.`)
}
