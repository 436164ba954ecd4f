/** Effects as rows of the outbox. */
import type { Segment } from '../../contracts/effect.ts'
import type { Epoch } from '../../contracts/position.ts'
import type { Connection, WireStatement } from './connection.ts'

/** Whoever can be seen has waited for the disk, and for the standby where there is one, if it waits at all. */
const keepSegment = `INSERT INTO tidemark_segments (kind, epoch, first_seq, last_seq, last_n, items, content,
    committed_at, durable)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (current_setting('synchronous_commit') IN ('on', 'remote_apply'))::int)`

export function outboxOf(
  segments: readonly Segment[],
  { epoch, nowMs }: { readonly epoch: Epoch; readonly nowMs: number },
): WireStatement[] {
  return segments.map(({ kind, first, last, lastN, count, content }) => ({
    sql: keepSegment,
    parameters: [kind, epoch, first, last, lastN, count, content, Math.floor(nowMs)].map(String),
  }))
}

/** In the transaction that is open. */
export async function keepEffects(connection: Connection, outbox: readonly WireStatement[]): Promise<void> {
  for (const answer of await connection.queryAll(outbox))
    if (answer.status === 'rejected') throw answer.reason
}
