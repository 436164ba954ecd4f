import type { HistoryEvent } from './history.ts'

/**
 * What can be broken. The four session guarantees are those of D. Terry et al., "Session Guarantees for Weakly
 * Consistent Replicated Data", PDIS 1994.
 */
export type ViolationKind =
  /** A read of a session lacks a write of the session. */
  | 'read-your-writes'
  /** A read of a session lacks what an earlier read of it has shown. */
  | 'monotonic-reads'
  /** Two writes of a session were committed in the other order, or the second without the first. */
  | 'monotonic-writes'
  /** A write was committed before, or without, one that its session had seen. */
  | 'writes-follow-reads'
  /** A read at a bookmark lacks something that it stands for. */
  | 'bookmark'
  /** A strong read, or one at `readAfterWrite` without any bookmark, lacks what its engine had accepted. */
  | 'own-accepted'
  /** A strong read lacks what some writer had committed. */
  | 'others-committed'
  /** What is shown is not the result of a prefix of the commits, or of each writer's operations. */
  | 'prefix'
  /** A read gave rows although a position that it had to include was lost. */
  | 'lost-position'
  /** A position was told lost that was not. */
  | 'false-loss'
  | 'overlay-own-write'
  | 'overlay-went-back'
  /** A keyed read showed what was neither committed nor pending in its process. */
  | 'overlay-invented'
  /** A rejection was not told, told twice, or told of what was not rejected. */
  | 'rejection'
  | 'rejection-not-listed'
  /** Rows, and an error: a read that failed gave a result. */
  | 'rows-with-error'
  /** A read was told stale before its time was over. */
  | 'stale-too-early'
  | 'unexpected-error'
  | 'acknowledged-lost'
  | 'repeated'

export interface Violation {
  readonly kind: ViolationKind
  /** What is wrong, in a sentence. */
  readonly message: string
  /** What it was seen by, in the order of time where there is one. */
  readonly events: readonly HistoryEvent[]
}

export type Report = (kind: ViolationKind, message: string, events: readonly HistoryEvent[]) => void
