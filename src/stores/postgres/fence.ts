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

/** @param taken so many parameters stand before its own */
function moving(taken: number): string {
  const [last, epoch, writer, prev, holder] = [1, 2, 3, 4, 5].map((place) => `$${taken + place}`)
  return `
  WITH moved AS (
    UPDATE tidemark_writers SET watermark = ${last}
    WHERE epoch = ${epoch} AND writer = ${writer} AND watermark = ${prev} AND holder = ${holder} AND closed = 0
    RETURNING 1)`
}

/** It changes one row or aborts the transaction: a COMMIT that was sent already would not stop at none. */
const sql = `${moving(0)}
  SELECT 1 / count(*) FROM moved`

export function fence(owner: Owner, hold: Hold, prev: Seq, last: Seq): WireStatement {
  return { sql, parameters: fenceParameters(owner, hold, prev, last) }
}

/**
 * The fence, and beside it `changing`, which returns `told` for each row that it changes. What it changes stands only if
 * the fence does: it is one statement. The answer is always one row, so that the division is never left out:
 * `[1, rows changed, the greatest that was told]`.
 *
 * @param parameters how many `changing` has; those of the fence come behind them
 */
export function fenced(changing: string, parameters: number): string {
  return `${moving(parameters)}, changed (told) AS (${changing})
  SELECT 1 / (SELECT count(*) FROM moved), (SELECT count(*) FROM changed), (SELECT max(told) FROM changed)`
}

export function fenceParameters({ writer, epoch }: Owner, { holder }: Hold, prev: Seq, last: Seq): string[] {
  return [last, epoch, writer, prev, holder].map(String)
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
