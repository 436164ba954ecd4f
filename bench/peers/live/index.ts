/** The contenders of the live benchmark by name, and in which section each runs. Loaded only in the process that runs it. */
import type { OpenHolder } from './holder.ts'
import type { OpenChangePeer } from './peer.ts'

interface Listed<Open> {
  readonly load: () => Promise<Open>
}

/** They change one row and read it. */
export const CHANGE_PEERS = {
  'tidemark/live': { load: async () => (await import('./scope.ts')).liveScope },
  'tidemark/calls': { load: async () => (await import('./calls.ts')).calls },
  map: { load: async () => (await import('./map.ts')).map },
  'better-sqlite3': { load: async () => (await import('./better-sqlite3.ts')).betterSqlite3 },
  'node:sqlite': { load: async () => (await import('./node-sqlite.ts')).nodeSqlite },
} as const satisfies Record<string, Listed<OpenChangePeer>>

export type ChangePeerName = keyof typeof CHANGE_PEERS
export const CHANGE_PEER_NAMES = Object.keys(CHANGE_PEERS) as ChangePeerName[]

/** They hold many jobs. */
export const HOLDERS = {
  'tidemark/live': { load: async () => (await import('./held-scopes.ts')).heldScopes },
  map: { load: async () => (await import('./held-objects.ts')).heldObjects },
} as const satisfies Record<string, Listed<OpenHolder>>

export type HolderName = keyof typeof HOLDERS
export const HOLDER_NAMES = Object.keys(HOLDERS) as HolderName[]

/** They run stages that depend on each other. */
export const PIPELINE_NAMES = ['tidemark/live', 'tidemark/calls', 'tidemark/atomic', 'tidemark/each'] as const
export type PipelineName = (typeof PIPELINE_NAMES)[number]

export type LivePeerName = ChangePeerName | HolderName | PipelineName
export const LIVE_PEER_NAMES: readonly LivePeerName[] = [
  ...new Set([...PIPELINE_NAMES, ...HOLDER_NAMES, ...CHANGE_PEER_NAMES]),
]

/** A package in bench/package.json. */
export function packageOf(peer: LivePeerName): string | undefined {
  return peer === 'better-sqlite3' ? peer : undefined
}
