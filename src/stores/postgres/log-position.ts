/** How far a server has come in its log: https://www.postgresql.org/docs/current/functions-admin.html */
import type { LogPosition } from '../../contracts/position.ts'
import type { WireAnswer, WireStatement } from './connection.ts'

/** Everything that can be seen is in the log behind this place, also where commits do not wait for the disk. */
export const primaryPosition: WireStatement = {
  name: 'tidemark_position',
  sql: `
  SELECT ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int AS timeline,
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS lsn`,
  parameters: [],
}

/**
 * A standby tells the timeline of its last checkpoint; of the one that it receives, only to who may see that. So for
 * some minutes after a failover it may tell an older one, never a later.
 */
export const standbyPosition: WireStatement = {
  name: 'tidemark_position',
  sql: `
  SELECT greatest((SELECT timeline_id FROM pg_control_checkpoint()),
      (SELECT received_tli FROM pg_stat_wal_receiver)) AS timeline,
    pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS lsn,
    pg_is_in_recovery()::int AS standby`,
  parameters: [],
}

/** The same later on: only how far, which is told at once. */
export const standbyReplayed: WireStatement = {
  name: 'tidemark_replayed',
  sql: `SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS lsn`,
  parameters: [],
}

export function positionOf({ rows }: WireAnswer): LogPosition {
  const [row] = rows
  return { timeline: Number(row?.['timeline']), lsn: Number(row?.['lsn'] ?? 0) }
}

/** Whether whoever is at `reached` has come as far as `wanted`. */
export function covers(reached: LogPosition, wanted: LogPosition): boolean {
  return reached.timeline >= wanted.timeline && reached.lsn >= wanted.lsn
}
