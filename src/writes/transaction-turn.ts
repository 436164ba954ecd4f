/**
 * An interactive transaction's turn in the line: it waits until all before it is committed, runs alone on the
 * write connection, and takes one position.
 *
 * Keeps: law 1 (settles once), law 2 (what is accepted while it runs stands behind it), law 3 (its callback has
 * effects we cannot see, so it is never run twice: only a transaction that could not begin is tried again; after
 * a lost reply to COMMIT the tidemark tells), law 4 (all or nothing), law 8 (what it enqueues is committed with it), law 9
 * (when the engine stops it lets go of the database's lock, whatever it was at).
 *
 *   queued ──begin──▶ running ──commit──▶ committed
 *     ▲ └─not-started─┘  │ └─reply lost──▶ unknown ──tidemark──▶ committed or void
 *     (tried again)      └─threw, timed out, refused──▶ rolled back: its position stays without effect (void)
 */
import type { Segment } from '../contracts/effect.ts'
import type { Seq } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedStore, StoreTransaction } from '../contracts/store.ts'
import {
  EngineStoppedError,
  InvalidOperationError,
  StoreError,
  TidemarkError,
  type Certainty,
  unprefixed,
} from '../errors.ts'
import type { EncodedEffect } from '../segments.ts'
import { EffectBuffer } from './effect-buffer.ts'
import { encodeEffects, type EffectRequest } from './effect-input.ts'
import { noOutbox } from './refusals.ts'
import { asStoreError } from './verdicts.ts'

export type TurnEnd =
  | { readonly kind: 'committed' | 'rolled-back' }
  | { readonly kind: 'not-started' | 'unknown'; readonly error: StoreError }

/** Adds effects to the transaction. @throws InvalidOperationError; NotSupportedError */
export type Enqueue = (...requests: readonly EffectRequest[]) => void

export type TransactionWork = (transaction: StoreTransaction, enqueue: Enqueue) => Promise<unknown>

export class TransactionTurn {
  readonly seq: Seq
  readonly acceptedAtMs: number
  readonly #work: TransactionWork
  readonly #timeoutMs: number
  readonly #runtime: Runtime
  readonly #result = Promise.withResolvers<unknown>()
  /** What was begun, until the turn is over. */
  #transaction: StoreTransaction | undefined
  readonly #effects: EncodedEffect[] = []
  /** What keeps its effects, from when it commits. */
  segments: readonly Segment[] = []
  #value: unknown
  #error: unknown
  #stage: 'queued' | 'running' | 'committing' | 'abandoned' = 'queued'

  constructor(seq: Seq, work: TransactionWork, timeoutMs: number, runtime: Runtime) {
    this.seq = seq
    this.acceptedAtMs = runtime.monotonicMs()
    this.#work = work
    this.#timeoutMs = timeoutMs
    this.#runtime = runtime
  }

  /** What the callback returned, once that is committed. */
  get result(): Promise<unknown> {
    return this.#result.promise
  }

  async run(store: OpenedStore, prev: Seq): Promise<TurnEnd> {
    let transaction: StoreTransaction
    try {
      transaction = await store.begin(prev, this.#timeoutMs)
    } catch (error) {
      return { kind: 'not-started', error: asStoreError(error) }
    }
    // The engine stopped meanwhile and has told the caller so; here and below.
    if (this.#isAbandoned()) return this.#rollBack(transaction, undefined)
    this.#stage = 'running'
    this.#transaction = transaction
    try {
      this.#value = await this.#withinTimeout(
        this.#work(transaction, (...requests) => this.#enqueue(store, requests)),
      )
    } catch (error) {
      return this.#rollBack(transaction, error)
    }
    if (this.#isAbandoned()) return this.#rollBack(transaction, undefined)
    this.#stage = 'committing'
    const buffer = new EffectBuffer()
    buffer.add(this.seq, this.#effects)
    this.segments = buffer.segments
    try {
      await transaction.commit(this.segments)
      return { kind: 'committed' }
    } catch (error) {
      if (error instanceof StoreError && error.failure === 'rejected')
        return this.#rollBack(transaction, error)
      this.#error = new TidemarkError(
        'TRANSACTION_FAILED',
        'the transaction was not committed: its connection failed.',
        { cause: error, retryable: true },
      )
      return { kind: 'unknown', error: asStoreError(error) }
    }
  }

  resolve(): void {
    this.#result.resolve(this.#value)
  }

  reject(): void {
    this.#result.reject(this.#error)
  }

  /** The engine stops. A transaction whose COMMIT was sent may be committed; no other is. */
  abandon(cause: TidemarkError): void {
    const outcome: Certainty = this.#stage === 'committing' ? 'unknown' : 'not-committed'
    this.#stage = 'abandoned'
    const message = `the transaction was abandoned: ${unprefixed(cause.message)}`
    this.#result.reject(new EngineStoppedError(cause.code, message, { cause, outcome }))
    // Nobody reads the tidemark any more, which would end it; behind a COMMIT that is under way it does nothing.
    this.#transaction?.rollback().catch(() => undefined)
  }

  #enqueue(store: OpenedStore, requests: readonly EffectRequest[]): void {
    if (!store.keepsEffects) throw noOutbox()
    if (this.#stage !== 'running')
      throw new InvalidOperationError(
        'INVALID_CALL',
        'the transaction has ended; nothing more can be enqueued in it.',
      )
    this.#effects.push(...encodeEffects(requests))
  }

  #isAbandoned(): boolean {
    return this.#stage === 'abandoned'
  }

  async #rollBack(transaction: StoreTransaction, cause: unknown): Promise<TurnEnd> {
    this.#error = cause
    try {
      await transaction.rollback()
      return { kind: 'rolled-back' }
    } catch (error) {
      return { kind: 'unknown', error: asStoreError(error) }
    }
  }

  async #withinTimeout(work: Promise<unknown>): Promise<unknown> {
    const expired = Promise.withResolvers<never>()
    const timer = this.#runtime.after(this.#timeoutMs, () => expired.reject(this.#timeout()))
    try {
      return await Promise.race([work, expired.promise])
    } finally {
      timer.cancel()
    }
  }

  #timeout(): TidemarkError {
    return new TidemarkError(
      'TRANSACTION_FAILED',
      `the transaction was rolled back: its callback took longer than ${this.#timeoutMs} ms.`,
      {
        hint: 'Did it await a write made with `db` instead of the transaction it was given? Such a write waits for the transaction to end.',
      },
    )
  }
}
