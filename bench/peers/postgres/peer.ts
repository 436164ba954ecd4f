/** What a contender of the PostgreSQL benchmark is: it writes rows number `first` to `first + count - 1` of its table. */
import type { PostgresRows } from '../../workloads/postgres/rows.ts'
import type { Peer } from '../peer.ts'

export interface PostgresPeer extends Omit<Peer, 'sqliteVersion' | 'insertOne'> {
  /** One row, committed when its promise is done. */
  insertOne?(index: number): PromiseLike<unknown>
}

export interface PostgresPeerSettings {
  readonly rowsPerCommit: number
  /** What a source hands over before it lets the event loop turn. */
  readonly rowsPerTick: number
}

export type OpenPostgresPeer = (
  url: string,
  rows: PostgresRows,
  settings: PostgresPeerSettings,
) => Promise<PostgresPeer>

/** Contenders that wait for each commit let the event loop turn while they wait. */
export const AWAITING = Infinity
