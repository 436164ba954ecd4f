/** All contenders of `npm run bench -- reads` by name. Each is loaded only in the process that runs it. */

import type { OpenReadPeer } from './peer.ts'

interface ListedReader {
  readonly load: () => Promise<OpenReadPeer>
  /** One of the packages in bench/package.json, where it needs one. */
  readonly needs?: string
}

export const READ_PEERS = {
  tidemark: { load: async () => (await import('./tidemark.ts')).tidemark },
  'node:sqlite/pool': { load: async () => (await import('./pool.ts')).pool, needs: 'kysely' },
  'better-sqlite3': {
    load: async () => (await import('./better-sqlite3.ts')).betterSqlite3,
    needs: 'better-sqlite3',
  },
  'node:sqlite': { load: async () => (await import('./node-sqlite.ts')).nodeSqlite },
} as const satisfies Record<string, ListedReader>

export type ReadPeerName = keyof typeof READ_PEERS

export const READ_PEER_NAMES = Object.keys(READ_PEERS) as ReadPeerName[]

export function listedReader(name: ReadPeerName): ListedReader {
  return READ_PEERS[name]
}
