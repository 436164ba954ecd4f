/** What a contender of the log benchmark is: it takes entries number `first` to `first + count - 1`, in order. */
import type { EntryPool } from '../../workloads/logs/entries.ts'
import type { Peer } from '../peer.ts'

export interface LogPeerSettings {
  readonly rowsPerCommit: number
  /** What a source hands over before it lets the event loop turn. */
  readonly rowsPerTick: number
}

export type OpenLogPeer = (file: string, entries: EntryPool, settings: LogPeerSettings) => Promise<Peer>
