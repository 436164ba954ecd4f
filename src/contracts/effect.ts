/** Follow-up work that was committed with a write, as whoever does it sees it. */
import type { Position, Seq } from './position.ts'
import type { Json } from './values.ts'

/** One effect on its way: the same `id`, `version` and content however often it is delivered. */
export interface Effect {
  /** Unique in the database, and the same at every delivery: the idempotency key. */
  readonly id: string
  readonly kind: string
  /** Effects of one kind and key are delivered one after the other, in the order of their writes. */
  readonly key: string | undefined
  readonly payload: Json
  /**
   * Higher than that of every effect of this kind that an earlier change of the same row carried, by whichever writer; and
   * of every earlier one of this writer. A target that keeps it can tell that a late delivery is older, and leave it out.
   */
  readonly version: number
  /** The write that it belongs to. */
  readonly position: Position
  /** 1 for the first delivery, as far as it is recorded. A crash, or a target that is down, may repeat a number. */
  readonly attempt: number
  readonly committedAt: Date
}

/**
 * What became of one effect. Undefined stands for `delivered`.
 *
 * @typeParam W what `write` is given: the calls of an atomic group
 */
export type EffectOutcome<W> = EffectDelivered<W> | EffectRetry | EffectDead<W> | undefined

export interface EffectDelivered<W> {
  readonly kind: 'delivered'
  /** Kept for whoever asks for it by the effect's id. */
  readonly result?: Json
  /**
   * Writes that are committed together with the fact that it is delivered, or not at all. It must write before it
   * returns, and may be called again when the commit is tried again.
   */
  readonly write?: (to: W) => void
}

/** It may succeed later. */
export interface EffectRetry {
  readonly kind: 'retry'
  readonly error: unknown
  /**
   * How long to wait, in ms, where the target says so; at most a day. A target that is taken for down is left alone for as
   * long, at most five minutes. Default: as `error`, or a cause of it, says by its `retryAfterMs` or by `Retry-After` in its
   * `headers`; else longer after each attempt, with jitter.
   */
  readonly afterMs?: number
  /**
   * The target could not keep up, or is not there: a timeout, HTTP 429 or 5xx, no connection, no such name. Fewer deliveries
   * run at once from now on, and where it says nothing else its effects wait until it is back.
   * Default: as `error`, or a cause of it, says by its `status`, `statusCode`, `code` or `name`.
   */
  readonly isOverload?: boolean
}

/** It can never succeed: it is kept as a dead letter, and later effects of its key go on. */
export interface EffectDead<W> {
  readonly kind: 'dead'
  readonly error: unknown
  /** Writes that are committed together with the dead letter. */
  readonly write?: (to: W) => void
}

/**
 * Does a batch of effects. No two of them have the same key.
 *
 * @returns one outcome an effect, in their order; nothing when all are delivered. What is thrown counts as `retry` for
 *   all of them.
 */
export type EffectHandler<W> = (
  effects: readonly Effect[],
  context: EffectContext,
) => Promise<readonly EffectOutcome<W>[] | void>

export interface EffectContext {
  /** Aborts when the time is over, or the engine has waited long enough for it to close. */
  readonly signal: AbortSignal
}

/** A store of somebody else's that effects are delivered to. */
export interface Target {
  /** For messages: what it is and where. */
  readonly name: string
  /** As `EffectHandler`. */
  deliver(effects: readonly Effect[], context: EffectContext): ReturnType<EffectHandler<unknown>>
  /** Resolves when it can be reached, for health checks. */
  probe(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Effects of one kind, as the batch whose operations carry them keeps them: one row of the outbox. */
export interface Segment {
  readonly kind: string
  /** The operations that carry the first of them and the last. */
  readonly first: Seq
  readonly last: Seq
  /** Which of the last operation's effects is the last here; above all of them where no other segment goes on with it. */
  readonly lastN: number
  readonly count: number
  /** JSON text that only `src/segments.ts` writes and reads. */
  readonly content: string
}
