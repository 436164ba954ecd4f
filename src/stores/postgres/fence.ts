/** What stands first in every transaction of a writer. */
import type { Seq } from '../../contracts/position.ts'
import type { Owner } from '../../sql/bookkeeping.ts'
import { asCommitError } from './classify.ts'
import type { Connection, WireStatement } from './connection.ts'
import { begin } from './session.ts'

/** The connection that commits, and the number under which it holds the writer's row: a newer one shuts it out. */
export interface Hold {
  readonly connection: Connection
  readonly holder: number
}

/** It changes one row or aborts the transaction: a COMMIT that was sent already would not stop at none. */
const sql = `
  WITH moved AS (
    UPDATE tidemark_writers SET watermark = $1
    WHERE epoch = $2 AND writer = $3 AND watermark = $4 AND holder = $5 AND closed = 0 RETURNING 1)
  SELECT 1 / count(*) FROM moved`

export function fence({ writer, epoch }: Owner, { holder }: Hold, prev: Seq, last: Seq): WireStatement {
  return { sql, parameters: [last, epoch, writer, prev, holder].map(String) }
}

/** Begins a transaction behind the fence, and awaits that. @throws StoreError; roll back then */
export async function beginBehindFence(
  owner: Owner,
  hold: Hold,
  prev: Seq,
  last: Seq,
  ...more: readonly WireStatement[]
): Promise<void> {
  const answers = await hold.connection.queryAll([{ sql: begin }, fence(owner, hold, prev, last), ...more])
  // No COMMIT was sent.
  for (const [at, answer] of answers.entries())
    if (answer.status === 'rejected') throw asCommitError(answer.reason, at, 'not-committed')
}
