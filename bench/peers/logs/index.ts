/** The contenders of the log benchmark by name. Each is loaded only in the process that runs it. */
import type { OpenLogPeer } from './peer.ts'

interface Listed {
  readonly load: () => Promise<OpenLogPeer>
  readonly needs?: string
}

export const LOG_PEERS = {
  tidemark: { load: async () => (await import('./tidemark.ts')).byEntry },
  'tidemark/storeRows': { load: async () => (await import('./tidemark.ts')).byLoad },
  'better-sqlite3/rows': {
    load: async () => (await import('./better-sqlite3.ts')).rowByRow,
    needs: 'better-sqlite3',
  },
  'better-sqlite3/set-based': {
    load: async () => (await import('./better-sqlite3.ts')).setBased,
    needs: 'better-sqlite3',
  },
} as const satisfies Record<string, Listed>

export type LogPeerName = keyof typeof LOG_PEERS

export const LOG_PEER_NAMES = Object.keys(LOG_PEERS) as LogPeerName[]

export function listedLogPeer(name: LogPeerName): Listed {
  return LOG_PEERS[name]
}
