/**
 * A receipt: an operation's position now, its outcome later.
 *
 * Keeps: law 1 (it settles once, with its batch). It is lazily a promise: until somebody calls `then` there is
 * no promise, so a rejected write that nobody awaits raises no `unhandledRejection`; it is in the dead letters
 * and in the `reject` event all the same.
 *
 * Hot: one is made for every operation, so it has three fields and all its behaviour on the prototype. Only that of a
 * row with a preallocated id has one more.
 */
import type { Position, Seq } from '../contracts/position.ts'
import {
  EngineStoppedError,
  ReceiptTimeoutError,
  WriteRejectedError,
  type TidemarkError,
  unprefixed,
} from '../errors.ts'
import { effectId } from '../segments.ts'
import type { PendingBatch } from './batch.ts'

/** What a receipt needs of the engine that made it. */
export interface ReceiptContext {
  position(seq: Seq): Position
  bookmarkOf(seq: Seq): string
  /** Somebody waits: end the linger. */
  want(batch: PendingBatch): void
  /** The queue has room, and full batches are on their way. */
  ready(): Promise<void>
  timer(ms: number, task: () => void): { cancel(): void }
  /** Operations were accepted for it. In a batch, or as a transaction of their own. */
  accepted?(batch: PendingBatch | undefined, first: Seq, last: Seq): void
  /** Somebody was told that operations of it were rejected. */
  rejectionTold?(first: Seq, last: Seq): void
}

/** What an awaited write gives. */
export interface Committed {
  readonly position: Position
  /**
   * The generated id, where the table has one and the insert left it out; of a statement that inserts, what the
   * database tells: SQLite its last row's, MySQL its first's. Unknown after a lost reply.
   */
  readonly id?: number
  /** The rows that an update, a delete or a statement changed. */
  readonly changes?: number
  /** Of rows that stand alone (`atomic: false`): how many were rejected. */
  readonly rejected?: number
}

/** How a write ended. Exactly one of these, exactly once. */
export type Outcome =
  | ({ readonly kind: 'committed' } & Committed)
  | { readonly kind: 'rejected'; readonly error: WriteRejectedError }
  | { readonly kind: 'abandoned'; readonly error: TidemarkError }

export class Receipt implements PromiseLike<Committed> {
  readonly #context: ReceiptContext
  readonly #batch: PendingBatch
  readonly #seq: Seq

  constructor(context: ReceiptContext, batch: PendingBatch, seq: Seq) {
    this.#context = context
    this.#batch = batch
    this.#seq = seq
  }

  /** Where the operation stands in its writer's order. */
  get position(): Position {
    return this.#context.position(this.#seq)
  }

  /**
   * The row's generated id, as soon as it is known: at once where the table's ids are preallocated, else when the
   * insert is committed and told it.
   */
  get id(): number | undefined {
    const outcome = this.state === 'committed' ? this.#outcome() : undefined
    return outcome?.kind === 'committed' ? outcome.id : undefined
  }

  /** For whoever must see this write, in this process or another: `db.read({ after: receipt.bookmark })`. */
  get bookmark(): string {
    return this.#context.bookmarkOf(this.#seq)
  }

  /**
   * The id of an effect that this write carries, for `db.effects.result()`.
   *
   * @param n which of them, counted from 0 over all of the operation's. Default 0
   */
  effectId(n = 0): string {
    return effectId({ ...this.position, n })
  }

  get state(): 'pending' | Outcome['kind'] {
    return this.#batch.stateOf(this.#seq) === 'pending' ? 'pending' : this.#outcome().kind
  }

  /**
   * With `queue.whenFull: 'wait'`: resolves when the queue has room again, at once if it was not full. A
   * producer that awaits it never meets a `QueueFullError`; and it lets the event loop go whenever it has filled a batch.
   */
  get accepted(): Promise<void> {
    return this.#context.ready()
  }

  /** Resolves with how the write ended. Never rejects. */
  async outcome(): Promise<Outcome> {
    this.#context.want(this.#batch)
    await this.#batch.whenSettled()
    return this.#tell()
  }

  /**
   * Waits, but no longer than `limit`: milliseconds, or until the signal aborts. The write itself goes on.
   * @throws ReceiptTimeoutError when the wait is over first; else what `await` would throw.
   */
  async within(limit: number | AbortSignal): Promise<Committed> {
    if (this.state !== 'pending') return this.#committedOrThrow()
    const over = Promise.withResolvers<never>()
    const { seq } = this.position
    const stop =
      typeof limit === 'number'
        ? expireAfter(this.#context, limit, () =>
            over.reject(new ReceiptTimeoutError(`position ${seq} is still pending after ${limit} ms.`)),
          )
        : expireWith(limit, () =>
            over.reject(
              new ReceiptTimeoutError(
                `position ${seq} was still pending when its wait was aborted.`,
                limit.reason,
              ),
            ),
          )
    try {
      return await Promise.race([this.then(), over.promise])
    } finally {
      stop()
    }
  }

  then<A = Committed, B = never>(
    onCommitted?: ((committed: Committed) => A | PromiseLike<A>) | null,
    onFailed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#context.want(this.#batch)
    return this.#batch
      .whenSettled()
      .then(() => this.#committedOrThrow())
      .then(onCommitted, onFailed)
  }

  catch<B = never>(onFailed?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<Committed | B> {
    return this.then(undefined, onFailed)
  }

  finally(task?: (() => void) | null): Promise<Committed> {
    return this.then().finally(task)
  }

  #committedOrThrow(): Committed {
    const outcome = this.#tell()
    if (outcome.kind !== 'committed') throw outcome.error
    const { kind: _, ...committed } = outcome
    return committed
  }

  /** The outcome, for somebody who waits for it. */
  #tell(): Outcome {
    const outcome = this.#outcome()
    if (outcome.kind === 'rejected' || (outcome.kind === 'committed' && outcome.rejected !== undefined))
      this.#context.rejectionTold?.(this.first, this.#seq)
    return outcome
  }

  #outcome(): Outcome {
    const outcome = outcomeOf(this.#batch, this.#seq, this.position, this.rejected())
    return outcome.kind === 'committed' && this.given !== undefined ? { ...outcome, id: this.given } : outcome
  }

  /** The id that the row was given when it was accepted. */
  protected get given(): number | undefined {
    return undefined
  }

  /** For rows that stand alone. A single operation has its rejection as its outcome instead. */
  protected rejected(): number | undefined {
    return undefined
  }

  protected get first(): Seq {
    return this.#seq
  }
}

/** The receipt of rows that stand alone: committed even if some of them were rejected; it counts them. */
export class LoadReceipt extends Receipt {
  readonly #first: Seq
  readonly #rejected: () => number

  constructor(context: ReceiptContext, batch: PendingBatch, first: Seq, last: Seq) {
    super(context, batch, last)
    this.#first = first
    this.#rejected = () => batch.rejectionsBetween(first, last).length
  }

  protected override rejected(): number {
    return this.#rejected()
  }

  protected override get first(): Seq {
    return this.#first
  }
}

/** The receipt of a row whose id was known when it was accepted. */
export class IdReceipt extends Receipt {
  readonly #id: number

  constructor(context: ReceiptContext, batch: PendingBatch, seq: Seq, id: number) {
    super(context, batch, seq)
    this.#id = id
  }

  override get id(): number {
    return this.#id
  }

  protected override get given(): number {
    return this.#id
  }
}

function outcomeOf(batch: PendingBatch, seq: Seq, position: Position, rejected: number | undefined): Outcome {
  const state = batch.stateOf(seq)
  if (state === 'pending') throw new Error('unreachable: an outcome was asked for before the batch settled')
  if (state !== 'committed') return { kind: 'abandoned', error: abandonedError(position, state) }
  if (rejected !== undefined) return { kind: 'committed', position, rejected }
  const rejection = batch.rejectionOf(seq)
  if (!rejection) return { kind: 'committed', position, ...batch.resultOf(seq) }
  const where = rejection.table === undefined ? '' : ` in table "${rejection.table}"`
  const message = `the write at position ${seq}${where} was rejected: ${rejection.message}.`
  return { kind: 'rejected', error: new WriteRejectedError(message, rejection.code, rejection.deadLetter) }
}

function abandonedError(
  position: Position,
  { error, certainty }: { error: TidemarkError; certainty: 'not-committed' | 'unknown' },
): EngineStoppedError {
  const fate = certainty === 'unknown' ? 'it may or may not be committed' : 'it is not committed'
  return new EngineStoppedError(
    error.code,
    `the write at position ${position.seq} was abandoned, ${fate}: ${unprefixed(error.message)}`,
    {
      cause: error,
      outcome: certainty,
      hint:
        certainty === 'unknown'
          ? 'Read the row to see, or write it again in a form that may be applied twice.'
          : 'Write it again once the cause is mended.',
    },
  )
}

function expireAfter(context: ReceiptContext, ms: number, expire: () => void): () => void {
  const timer = context.timer(ms, expire)
  return () => timer.cancel()
}

function expireWith(signal: AbortSignal, expire: () => void): () => void {
  if (signal.aborted) expire()
  signal.addEventListener('abort', expire, { once: true })
  return () => signal.removeEventListener('abort', expire)
}
