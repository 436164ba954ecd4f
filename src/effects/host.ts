/** What effects ask of the engine that they belong to. */
import type { Run } from '../contracts/operation.ts'
import type { Epoch } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { Value } from '../contracts/values.ts'
import type { Own } from '../sql/text.ts'

export interface EffectsHost {
  readonly epoch: Epoch
  readonly runtime: Runtime

  /** Rows of tables of ours, in a snapshot that begins after the call. @param sql every `?` in it is a parameter */
  ask(sql: Own, parameters: readonly Value[]): Promise<readonly Record<string, unknown>[]>

  /**
   * Commits runs on tables of ours, and what `writes` write, as one operation.
   *
   * @returns why it was rejected; undefined: it is committed, or its reply was lost and nobody can say, which the next
   *   move of the same lane finds out
   * @throws EngineStoppedError
   */
  commit(runs: readonly Run[], writes?: readonly EffectWrite[]): Promise<Error | undefined>

  /** Resolves when what was to be committed within this tick is sent. */
  sent(): Promise<void>

  /** When it resolves, what was committed before the call survives a power loss. */
  durable(): Promise<void>

  /** Wants to be told for so long when other processes have committed effects of this kind. */
  hear(kind: string, forMs: number): void
}

/** Writes of a handler's own, to be committed with what became of its effect. */
export type EffectWrite = (to: never) => void
