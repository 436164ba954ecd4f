/**
 * The effects of every kind as a watch sees them, and how they were in the last fifteen minutes: a sample a look.
 *
 * Owns: the server's watch, and one background timer that keeps what it saw.
 */
import type { Runtime, Timer } from '../contracts/runtime.ts'
import { emptyQueue } from '../effects/stats.ts'
import type { EffectsWatch, WatchedEffects, WatchOptions } from '../index.ts'
import type { Engine } from './context.ts'

export const EFFECT_COLUMNS = ['t', 'undelivered', 'oldestMs', 'lagMs', 'dead'] as const

const keptMs = 15 * 60_000
/** A clock that is set back makes no more of them. */
const maxSamples = keptMs / 1_000
const nothing: WatchedEffects = { atMs: undefined, kinds: [], troubles: [] }

export class EffectsHistory {
  readonly everyMs: number
  readonly #runtime: Runtime
  /** Undefined: the store keeps no effects. */
  readonly #watch: EffectsWatch | undefined
  readonly #expected: readonly string[]
  #samples = new Map<string, readonly number[][]>()
  #sampledAtMs: number | undefined
  #timer: Timer | undefined

  /**
   * @param expected kinds that are told of also before anybody has handled them
   * @throws TidemarkError `INVALID_OPTIONS`
   */
  constructor(db: Engine, runtime: Runtime, expected: readonly string[], options: WatchOptions | undefined) {
    this.#runtime = runtime
    this.#expected = expected
    this.#watch = db.effects.isSupported ? db.effects.watch(options) : undefined
    this.everyMs = options?.everyMs ?? 5_000
    this.#arm()
  }

  get isSupported(): boolean {
    return this.#watch !== undefined
  }

  /** From memory. */
  get latest(): WatchedEffects {
    const seen = this.#watch?.latest ?? nothing
    const names = new Set(seen.kinds.map(({ kind }) => kind))
    const unseen = this.#expected.filter((kind) => !names.has(kind))
    if (seen.atMs === undefined || unseen.length === 0) return seen
    const kinds = [...seen.kinds, ...unseen.map(emptyQueue)]
    return { ...seen, kinds: kinds.toSorted((one, other) => (one.kind < other.kind ? -1 : 1)) }
  }

  /** As it is now; where the database does not say within `ms`, as it was seen last. */
  async look(ms: number): Promise<WatchedEffects> {
    const isOver = Promise.withResolvers<void>()
    const timer = this.#runtime.after(ms, () => isOver.resolve(), 'background')
    try {
      await Promise.race([this.#watch?.look(), isOver.promise])
    } catch {
      // The age of what was seen last says it.
    } finally {
      timer.cancel()
    }
    return this.latest
  }

  /** Samples after this moment by kind, oldest first. */
  since(ms: number): Record<string, readonly number[][]> {
    const samples = [...this.#samples].map(
      ([kind, some]) => [kind, some.filter(([t = 0]) => t > ms)] as const,
    )
    return Object.fromEntries(samples.filter(([, some]) => some.length > 0))
  }

  stop(): void {
    this.#timer?.cancel()
    this.#watch?.stop()
  }

  #arm(): void {
    this.#timer = this.#runtime.after(
      Math.min(1_000, this.everyMs),
      () => {
        this.#sample()
        this.#arm()
      },
      'background',
    )
  }

  #sample(): void {
    const { atMs, kinds } = this.latest
    if (atMs === undefined || atMs === this.#sampledAtMs) return
    this.#sampledAtMs = atMs
    const samples = new Map<string, readonly number[][]>()
    // What a kind was like is told for as long as that of the others, also when there is nothing of it any more.
    for (const [kind, before] of this.#samples) {
      const kept = before.filter(([t = 0]) => t > atMs - keptMs).slice(1 - maxSamples)
      if (kept.length > 0) samples.set(kind, kept)
    }
    for (const { kind, queued, waiting, oldestMs, lagMs, dead } of kinds)
      samples.set(kind, [...(samples.get(kind) ?? []), [atMs, queued + waiting, oldestMs, lagMs, dead]])
    this.#samples = samples
  }
}
