/**
 * What the engine tells of itself while it runs. A listener that throws is its own error: it is thrown where
 * nobody of ours is underneath, and the engine goes on.
 */
import { EventEmitter } from 'node:events'
import type { DeadLetterId } from '../contracts/operation.ts'
import type { Position, Seq } from '../contracts/position.ts'
import type { BatchOutcome } from '../contracts/store.ts'
import type { TidemarkError } from '../errors.ts'
import { noLetter } from '../isolation.ts'
import type { PendingBatch } from './batch.ts'

export interface EngineEvents {
  /** A batch was committed. */
  commit: {
    readonly tidemark: Position
    readonly operations: number
    readonly transactions: number
    readonly durationMs: number
    readonly longestTransactionMs: number
  }
  /** The store refused an operation for good; it is in the dead letters. */
  reject: {
    readonly position: Position
    readonly table: string | undefined
    readonly storeCode: string
    readonly message: string
    readonly deadLetter: DeadLetterId
  }
  /** The queue became full, or has room again. */
  backpressure: { readonly isFull: boolean; readonly operations: number; readonly bytes: number }
  /** A batch could not be committed and is tried again after `delayMs`. */
  retry: { readonly attempt: number; readonly delayMs: number; readonly error: TidemarkError }
  /** A read was answered, or failed: `stale` in its time, `lost` and `expired` with its bookmark. */
  consistency: {
    readonly level: 'eventual' | 'readAfterWrite' | 'strong' | 'get'
    readonly waitedMs: number
    readonly outcome: 'satisfied' | 'stale' | 'lost' | 'expired' | 'failed'
  }
  /** A newer engine has taken this writer's name; this one has stopped. */
  fenced: { readonly error: TidemarkError }
  /**
   * Somebody should look. `stalled`: no batch was committed for a while although some wait. `derivation`: rows were
   * committed without what `derive` should have made of them; told no more often than every `alertAfterMs`.
   * `deadEffect`: an effect was given up. `targetDown`: the target of a kind takes no effects. `effectsStalled`: effects
   * could not be read or committed. `effectsLate`, `effectsOrphaned`: see `effects.watch`.
   */
  alert: {
    readonly kind:
      | 'stalled'
      | 'stopped'
      | 'derivation'
      | 'deadEffect'
      | 'targetDown'
      | 'effectsStalled'
      | 'effectsLate'
      | 'effectsOrphaned'
    readonly message: string
    readonly sinceMs: number
    /** The kind of the effects that it is about; absent where it is about none. */
    readonly effects?: string
  }
}

export type EventName = keyof EngineEvents
export type Listener<E extends EventName> = (event: EngineEvents[E]) => void

export class Events {
  readonly #emitter = new EventEmitter()

  /** @returns a function that takes the listener off again. */
  on<E extends EventName>(name: E, listener: Listener<E>): () => void {
    this.#emitter.on(name, listener)
    return () => this.#emitter.off(name, listener)
  }

  emit<E extends EventName>(name: E, event: EngineEvents[E]): void {
    for (const listener of this.#emitter.listeners(name)) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  hasListeners(name: EventName): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  tellStalled(sinceMs: number): void {
    const message = `operations wait and none was committed for ${Math.round(sinceMs)} ms`
    this.emit('alert', { kind: 'stalled', message, sinceMs })
  }

  /** A batch was committed: what of it was rejected, and what it was. */
  tellCommitted(
    batch: PendingBatch,
    { transactions, longestTransactionMs }: BatchOutcome,
    durationMs: number,
    positionOf: (seq: Seq) => Position,
  ): void {
    const rejections = batch.rejectionsBetween(batch.first, batch.last)
    for (const { seq, table, code: storeCode, message, deadLetter } of rejections)
      if (deadLetter !== noLetter)
        this.emit('reject', { position: positionOf(seq), table, storeCode, message, deadLetter })
    if (!this.hasListeners('commit')) return
    const { last, operations } = batch
    this.emit('commit', {
      tidemark: positionOf(last),
      operations,
      transactions,
      durationMs,
      longestTransactionMs,
    })
  }
}
