/**
 * Looks at the effects of every kind now and then, also those that nobody handles, and tells when somebody should.
 *
 *   in order ──too late, orphaned, down, or dead ones──▶ in trouble, told once ──no longer──▶ in order
 *
 * Keeps: law 7 (one look at a time, and no more kinds than `maxKinds`).
 */
import type { Timer } from '../contracts/runtime.ts'
import { parseOptions, wholeTo } from '../options.ts'
import type { EffectsHost } from './host.ts'
import type { LaneRow } from './lease.ts'
import { Sights } from './sights.ts'
import { readQueues, type EffectQueue, type EffectStats } from './stats.ts'

export interface WatchOptions {
  /** The oldest of a kind may wait so long, in ms. Default 300,000: a few failures and a restart take less. */
  readonly lateAfterMs?: number
  /** Effects may wait so long without anybody who handles their kind, in ms. Default 60,000: a restart takes less. */
  readonly orphanedAfterMs?: number
  /** How often to look, in ms. Default 5,000. */
  readonly everyMs?: number
}

/** Something about the effects of one kind that somebody should look into. */
export interface EffectTrouble {
  /** `targetDown` is known of targets that this engine delivers to. */
  readonly kind: 'effectsLate' | 'effectsOrphaned' | 'targetDown' | 'deadEffects'
  /** The kind of the effects. */
  readonly effects: string
  readonly message: string
  /** For how long it has been so, in ms, as far as was seen. */
  readonly sinceMs: number
}

export interface WatchedEffects {
  /** When it was looked, in ms since 1970; undefined: not yet. */
  readonly atMs: number | undefined
  /** The first thousand kinds by name. */
  readonly kinds: readonly EffectStats[]
  readonly troubles: readonly EffectTrouble[]
}

export interface WatchEvents {
  readonly withHandler: (queue: EffectQueue) => EffectStats
  /** Once when it begins. */
  readonly onTrouble: (trouble: EffectTrouble) => void
  readonly onStop: () => void
}

type Rule = Omit<EffectTrouble, 'sinceMs'>

const maxKinds = 1_000

export class EffectsWatch {
  readonly #host: EffectsHost
  readonly #options: Required<WatchOptions>
  readonly #events: WatchEvents
  readonly #sights: Sights
  /** Since when each trouble is seen, by its kind and that of the effects. */
  #since = new Map<string, number>()
  /** Since when a kind is seen to wait with a lane that nobody holds. */
  #alone = new Map<string, number>()
  #latest: WatchedEffects = { atMs: undefined, kinds: [], troubles: [] }
  #look: Promise<WatchedEffects> | undefined
  #timer: Timer | undefined
  #isStopped = false

  /** Use `effects.watch()`. */
  constructor(host: EffectsHost, options: Required<WatchOptions>, events: WatchEvents) {
    this.#host = host
    this.#options = options
    this.#events = events
    this.#sights = new Sights(host.runtime)
    this.#goOn()
  }

  /** As it was at the last look. */
  get latest(): WatchedEffects {
    return this.#latest
  }

  /** Looks now, or waits for the look that is under way; once stopped, no more. @throws what the store fails with */
  look(): Promise<WatchedEffects> {
    if (this.#isStopped) return Promise.resolve(this.#latest)
    return (this.#look ??= this.#lookNow().finally(() => (this.#look = undefined)))
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#events.onStop()
  }

  #goOn(): void {
    // What cannot be looked at stays as it was seen, and `atMs` says how old that is.
    const next = (): void => void this.look().then(rest, rest)
    const rest = (): void => {
      if (!this.#isStopped) this.#timer = this.#host.runtime.after(this.#options.everyMs, next, 'background')
    }
    next()
  }

  async #lookNow(): Promise<WatchedEffects> {
    const { runtime } = this.#host
    const { queues, lanes } = await readQueues(this.#host, runtime.wallMs())
    const nowMs = runtime.monotonicMs()
    this.#sights.see(lanes)
    const kinds = queues.slice(0, maxKinds).map((queue) => this.#events.withHandler(queue))
    const found = kinds.flatMap((kind) => this.#rulesOf(kind, lanes.get(kind.kind) ?? [], nowMs))
    const before = this.#since
    this.#since = new Map(found.map((rule) => [nameOf(rule), before.get(nameOf(rule)) ?? nowMs]))
    const troubles = found.map((rule) => ({
      ...rule,
      sinceMs: Math.round(nowMs - (this.#since.get(nameOf(rule)) ?? nowMs)),
    }))
    this.#latest = { atMs: runtime.wallMs(), kinds, troubles }
    if (!this.#isStopped)
      for (const trouble of troubles) if (!before.has(nameOf(trouble))) this.#events.onTrouble(trouble)
    return this.#latest
  }

  #rulesOf(stats: EffectStats, lanes: readonly LaneRow[], nowMs: number): Rule[] {
    const { kind, queued, waiting, dead, oldestMs, isPaused, handler } = stats
    const waits = queued + waiting
    const rules: Rule[] = []
    const add = (is: Rule['kind'], message: string): void =>
      void rules.push({ kind: is, effects: kind, message })
    const aloneMs = this.#aloneMs(kind, waits > 0 && !isPaused && !this.#sights.areHeld(kind, lanes), nowMs)
    // Who pauses a kind knows that it waits.
    if (!isPaused && waits > 0 && oldestMs > this.#options.lateAfterMs)
      add('effectsLate', `effects of kind "${kind}" are late: the oldest waits for ${seconds(oldestMs)}`)
    if (aloneMs >= this.#options.orphanedAfterMs)
      add('effectsOrphaned', `effects of kind "${kind}" wait, and nobody handles them: ${waits}`)
    if (handler?.isDown) add('targetDown', describeDown(kind))
    if (dead > 0)
      add('deadEffects', `effects of kind "${kind}" were given up: ${dead} ${dead === 1 ? 'is' : 'are'} dead`)
    return rules
  }

  #aloneMs(kind: string, isAlone: boolean, nowMs: number): number {
    if (!isAlone) {
      this.#alone.delete(kind)
      return -1
    }
    const sinceMs = this.#alone.get(kind) ?? nowMs
    this.#alone.set(kind, sinceMs)
    return nowMs - sinceMs
  }
}

/** What an alert says of it. */
export function describeDown(kind: string): string {
  return `the target of effects of kind "${kind}" takes none; they wait`
}

const bounded = wholeTo(2 ** 31 - 1)

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseWatchOptions(given: WatchOptions = {}): Required<WatchOptions> {
  return parseOptions<Required<WatchOptions>>(
    'watch',
    given,
    { lateAfterMs: bounded, orphanedAfterMs: bounded, everyMs: bounded },
    { lateAfterMs: 300_000, orphanedAfterMs: 60_000, everyMs: 5_000 },
  )
}

function nameOf({ kind, effects }: Rule): string {
  return `${kind} ${effects}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`
}
