/** The contenders of the effects benchmark by name. Each is loaded only in the process that runs it. */
import type { OpenEffectsPeer } from './peer.ts'

interface Listed {
  readonly load: () => Promise<OpenEffectsPeer>
  /** Packages in bench/package.json. */
  readonly needs: readonly string[]
  readonly place: 'file' | 'postgres' | 'redis'
  /** It is given one item in so many: enough to know its rate. */
  readonly share?: number
}

export const EFFECTS_PEERS = {
  'tidemark/sqlite': { load: () => loadTidemark('tidemark/sqlite'), needs: [], place: 'file' },
  'tidemark/sqlite-full': { load: () => loadTidemark('tidemark/sqlite-full'), needs: [], place: 'file' },
  'tidemark/postgres': { load: () => loadTidemark('tidemark/postgres'), needs: [], place: 'postgres' },
  'graphile-worker': {
    load: async () => (await import('./graphile-worker.ts')).graphileWorker,
    needs: ['graphile-worker', 'pg'],
    place: 'postgres',
    share: 5,
  },
  'pg-boss': {
    load: async () => (await import('./pg-boss.ts')).pgBoss,
    needs: ['pg-boss', 'pg'],
    place: 'postgres',
    share: 10,
  },
  bullmq: {
    load: async () => (await import('./bullmq.ts')).bullmq,
    needs: ['bullmq', 'ioredis'],
    place: 'redis',
    share: 20,
  },
} as const satisfies Record<string, Listed>

async function loadTidemark(name: TidemarkName): Promise<OpenEffectsPeer> {
  return (await import('./tidemark.ts')).tidemark(name)
}

export type EffectsPeerName = keyof typeof EFFECTS_PEERS

export const EFFECTS_PEER_NAMES = Object.keys(EFFECTS_PEERS) as EffectsPeerName[]

/** Ours, one a store and durability. */
export const TIDEMARKS = ['tidemark/sqlite', 'tidemark/sqlite-full', 'tidemark/postgres'] as const
export type TidemarkName = (typeof TIDEMARKS)[number]

export function listedEffectsPeer(name: EffectsPeerName): Listed {
  return EFFECTS_PEERS[name]
}
