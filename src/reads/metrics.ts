/**
 * Counts how reads went, by level, and tells of each in a `consistency` event.
 *
 * Keeps: law 7 (a fixed set of numbers). It is called for every read: an eventual one that nobody listens for costs
 * three additions and a look at the listeners.
 */
import { TidemarkError, type ErrorCode } from '../errors.ts'
import type { EngineEvents, Events } from '../writes/events.ts'

export type ReadLevel = EngineEvents['consistency']['level']
type ReadOutcome = EngineEvents['consistency']['outcome']

/** Reads of one level. */
export interface LevelStats {
  readonly reads: number
  /** Those that waited at all, and for how long together and at most. */
  readonly waited: number
  readonly waitedMs: number
  readonly longestWaitMs: number
  /** Those that failed because their time was over. */
  readonly timeouts: number
  /** Those that failed otherwise: their bookmark, a processor, or the query itself. */
  readonly failures: number
}

export interface ReadStats {
  readonly eventual: LevelStats
  readonly readAfterWrite: LevelStats
  readonly strong: LevelStats
  readonly get: LevelStats
  readonly overlay: OverlayStats
  readonly replicas: ReplicaReadStats
}

/** What became of keyed reads: answered at once, or after waiting for a commit. */
export interface OverlayStats {
  readonly hits: number
  readonly waits: number
}

/** Reads with `from: 'replica'`: those that one answered, and those that the primary did in its place. */
export interface ReplicaReadStats {
  readonly reads: number
  readonly fallbacks: number
}

const outcomes: Partial<Record<ErrorCode, ReadOutcome>> = {
  STALE_READ: 'stale',
  POSITION_LOST: 'lost',
  BOOKMARK_EXPIRED: 'expired',
}

export class ReadMetrics {
  readonly #events: Events
  readonly #levels = { eventual: none(), readAfterWrite: none(), strong: none(), get: none() }

  constructor(events: Events) {
    this.#events = events
  }

  record(level: ReadLevel, waitedMs: number, outcome: ReadOutcome): void {
    const counts = this.#levels[level]
    counts.reads++
    if (waitedMs > 0) {
      counts.waited++
      counts.waitedMs += waitedMs
      counts.longestWaitMs = Math.max(counts.longestWaitMs, waitedMs)
    }
    if (outcome === 'stale') counts.timeouts++
    else if (outcome !== 'satisfied') counts.failures++
    if (this.#events.hasListeners('consistency'))
      this.#events.emit('consistency', { level, waitedMs, outcome })
  }

  /** Records a read that threw. */
  failed(level: ReadLevel, waitedMs: number, error: unknown): void {
    const outcome = error instanceof TidemarkError ? outcomes[error.code] : undefined
    this.record(level, waitedMs, outcome ?? 'failed')
  }

  stats({ hits, waits }: OverlayStats, { reads, fallbacks }: ReplicaReadStats): ReadStats {
    const { eventual, readAfterWrite, strong, get } = this.#levels
    return {
      eventual: { ...eventual },
      readAfterWrite: { ...readAfterWrite },
      strong: { ...strong },
      get: { ...get },
      overlay: { hits, waits },
      replicas: { reads, fallbacks },
    }
  }
}

function none(): { -readonly [Name in keyof LevelStats]: number } {
  return { reads: 0, waited: 0, waitedMs: 0, longestWaitMs: 0, timeouts: 0, failures: 0 }
}
