/** All contenders by name. Each is loaded only in the process that runs it. */

import type { OpenPeer } from './peer.ts'

interface Listed {
  readonly load: () => Promise<OpenPeer>
  /** One of the packages in bench/package.json, where it needs one. */
  readonly needs?: string
  /** A twentieth of the rows is enough to know its rate. */
  readonly isSlow?: true
}

export const PEERS = {
  tidemark: { load: async () => (await import('./tidemark.ts')).steady },
  'tidemark/greedy': { load: async () => (await import('./tidemark.ts')).greedy },
  'better-sqlite3/multi-row': {
    load: async () => (await import('./better-sqlite3.ts')).multiRow,
    needs: 'better-sqlite3',
  },
  'better-sqlite3/rows': {
    load: async () => (await import('./better-sqlite3.ts')).rowByRow,
    needs: 'better-sqlite3',
  },
  'better-sqlite3/autocommit': {
    load: async () => (await import('./better-sqlite3.ts')).autocommit,
    needs: 'better-sqlite3',
    isSlow: true,
  },
  'node:sqlite/multi-row': { load: async () => (await import('./node-sqlite.ts')).multiRow },
  'node:sqlite/rows': { load: async () => (await import('./node-sqlite.ts')).rowByRow },
  'node:sqlite/autocommit': { load: async () => (await import('./node-sqlite.ts')).autocommit, isSlow: true },
  'kysely/batch': { load: async () => (await import('./kysely.ts')).batch, needs: 'kysely' },
  'kysely/single': { load: async () => (await import('./kysely.ts')).single, needs: 'kysely', isSlow: true },
  'drizzle/batch': {
    load: async () => (await import('./drizzle.ts')).batch,
    needs: 'drizzle-orm',
    isSlow: true,
  },
  'drizzle/single': {
    load: async () => (await import('./drizzle.ts')).single,
    needs: 'drizzle-orm',
    isSlow: true,
  },
} as const satisfies Record<string, Listed>

export type PeerName = keyof typeof PEERS

export const PEER_NAMES = Object.keys(PEERS) as PeerName[]

export function listed(name: PeerName): Listed {
  return PEERS[name]
}
