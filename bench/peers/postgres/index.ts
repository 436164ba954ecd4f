/** The contenders of the PostgreSQL benchmark by name. Each is loaded only in the process that runs it. */
import type { OpenPostgresPeer } from './peer.ts'

interface Listed {
  readonly load: () => Promise<OpenPostgresPeer>
  /** Packages in bench/package.json. */
  readonly needs: readonly string[]
  /** It is given one row in so many: enough to know its rate. */
  readonly share?: number
  /** Its rows get their ids in whatever order its connections come to commit. */
  readonly isUnordered?: true
}

export const POSTGRES_PEERS = {
  tidemark: { load: async () => (await import('./tidemark.ts')).tidemark, needs: [] },
  'pg/unnest': { load: async () => (await import('./pg.ts')).unnest, needs: ['pg'] },
  'pg/unnest-ids': { load: async () => (await import('./pg.ts')).unnestWithIds, needs: ['pg'] },
  'pg/copy': { load: async () => (await import('./copy.ts')).copy, needs: ['pg', 'pg-copy-streams'] },
  'pg/single': { load: async () => (await import('./pg.ts')).single, needs: ['pg'], share: 50 },
  'pg/16-connections': {
    load: async () => (await import('./pg.ts')).manyConnections,
    needs: ['pg'],
    share: 10,
    isUnordered: true,
  },
  'kysely/batch': { load: async () => (await import('./kysely.ts')).batch, needs: ['kysely', 'pg'] },
  'kysely/single': {
    load: async () => (await import('./kysely.ts')).single,
    needs: ['kysely', 'pg'],
    share: 50,
  },
  'drizzle/batch': { load: async () => (await import('./drizzle.ts')).batch, needs: ['drizzle-orm', 'pg'] },
  'drizzle/single': {
    load: async () => (await import('./drizzle.ts')).single,
    needs: ['drizzle-orm', 'pg'],
    share: 50,
  },
} as const satisfies Record<string, Listed>

export type PostgresPeerName = keyof typeof POSTGRES_PEERS

export const POSTGRES_PEER_NAMES = Object.keys(POSTGRES_PEERS) as PostgresPeerName[]

export function listedPostgresPeer(name: PostgresPeerName): Listed {
  return POSTGRES_PEERS[name]
}
