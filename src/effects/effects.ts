/**
 * `db.effects`: who does which kind of follow-up work, and how far it has come.
 *
 * Owns: the dispatchers of this engine, one a kind, those who wait for effects, and those who watch them.
 * Keeps: law 8 (`reached` resolves only when nothing in its scope is unfinished, and rejects when something there is
 * dead), law 9 (`stop` waits for deliveries under way and lets the lanes go before the engine closes).
 */
import type { EffectHandler, Target } from '../contracts/effect.ts'
import type { Epoch, Mark, Seq } from '../contracts/position.ts'
import type { Json } from '../contracts/values.ts'
import { InvalidOperationError, NotSupportedError, TidemarkError } from '../errors.ts'
import {
  describeDead,
  discardEffects,
  listDeadEffects,
  listWaitingEffects,
  redriveEffects,
  type DeadEffect,
  type DeadEffectFilter,
  type WaitingEffect,
} from './dead-effects.ts'
import { Dispatcher } from './dispatcher.ts'
import type { EffectsHost } from './host.ts'
import { makeKind } from './lease.ts'
import { parseHandleOptions, type HandleOptions } from './options.ts'
import { own } from './own-tables.ts'
import { OwnRuns } from '../own-runs.ts'
import { recoverEffects, type Ask, type RecoverOptions, type Recovery } from './recover.ts'
import { readResult } from './results.ts'
import { readKinds, readQueue, type EffectQueue, type EffectStats, type HandlerStats } from './stats.ts'
import { isKind, kindRule, placeOf } from '../segments.ts'
import { findUnfinished, type Found, type Sought } from './unfinished.ts'
import { Wakes } from './wakes.ts'
import { describeDown, EffectsWatch, parseWatchOptions, type WatchOptions } from './watch.ts'

export interface EffectsEvents {
  onAlert(alert: EffectsAlert): void
}

interface EffectsAlert {
  readonly kind: 'deadEffect' | 'targetDown' | 'effectsStalled' | 'effectsLate' | 'effectsOrphaned'
  readonly message: string
  readonly sinceMs: number
  readonly effects: string
}

/** What effects ask of the reads of their engine. */
export interface EffectsQueries {
  /** Resolves with a bookmark's marks once all of them are committed. */
  readonly committed: (bookmark: string, timeoutMs: number) => Promise<readonly Mark[]>
  /** Runs a query of the user's own on all that is committed, and all that this engine has accepted. */
  readonly ask: Ask
}

/** A handler at work. */
export interface Handling {
  /**
   * Takes no more effects, waits for those under way, and lets other engines take over.
   *
   * @param options `timeoutMs`: after which the handler's signal aborts. Default 10,000
   */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>
}

export interface ReachedOptions {
  /** Only effects of these keys. Default all of the kind. */
  readonly keys?: readonly (string | number | bigint)[]
  /** How long to wait, in ms. Default 30,000. */
  readonly timeoutMs?: number
}

const stopMs = 10_000
const reachedMs = 30_000
const nothingLeft: Found = { kind: 'none' }

export class Effects<W> {
  readonly #host: EffectsHost | undefined
  readonly #events: EffectsEvents
  readonly #queries: EffectsQueries
  readonly #dispatchers = new Map<string, Dispatcher<W>>()
  readonly #watches = new Set<EffectsWatch>()
  /** Kinds whose handler is being stopped: its deliveries may be under way. */
  readonly #stopping = new Set<string>()
  readonly #wakes = new Wakes()

  /**
   * Use `db.effects`.
   *
   * @param host undefined where the store keeps no effects
   */
  constructor(host: EffectsHost | undefined, events: EffectsEvents, queries: EffectsQueries) {
    this.#host = host
    this.#events = events
    this.#queries = queries
  }

  /**
   * Does the effects of one kind from now on, those of other engines and of before too. They are delivered at least
   * once, those of one key one after the other; a kind is done by one engine at a time, or by as many as it has lanes.
   *
   * @param handler a function, or a target such as `redis(…)`
   * @throws TidemarkError `INVALID_OPTIONS`, `INVALID_CALL` when this engine handles the kind already, or has not stopped to;
   *   NotSupportedError
   */
  async handle(
    kind: string,
    handler: EffectHandler<W> | Target,
    options?: HandleOptions<W>,
  ): Promise<Handling> {
    const host = this.#required()
    const delivery = parseHandleOptions(options)
    requireKind(kind)
    const deliver = handlerOf(handler)
    if (this.#dispatchers.has(kind)) throw invalid(`effects of kind "${kind}" are handled already`)
    if (this.#stopping.has(kind))
      throw invalid(`the handler of effects of kind "${kind}" has not stopped yet: await \`stop()\``)
    const alert = (is: EffectsAlert['kind'], message: string): void =>
      this.#events.onAlert({ kind: is, message, sinceMs: 0, effects: kind })
    const dispatcher = new Dispatcher<W>(host, kind, deliver, delivery, {
      onDead: (item, error) => alert('deadEffect', describeDead(item, error)),
      onOutage: (isDown) => {
        if (isDown) alert('targetDown', describeDown(kind))
      },
      onTrouble: (error) =>
        alert('effectsStalled', `effects of kind "${kind}" could not be looked at: ${String(error)}`),
      onSettled: () => this.#wakes.wake(),
    })
    this.#dispatchers.set(kind, dispatcher)
    try {
      await dispatcher.start()
    } catch (error) {
      await this.#stop(dispatcher, 0)
      throw error
    }
    return { stop: ({ timeoutMs = stopMs } = {}) => this.#stop(dispatcher, timeoutMs) }
  }

  /**
   * Resolves when every effect of this kind that the bookmark's writes carry is delivered, by whichever engine.
   *
   * @param bookmark of a receipt or a session
   * @throws TidemarkError `DEAD_LETTERED` when one of them is dead and no other is unfinished, `EFFECTS_PENDING` when the
   *   time is over; as a read at this bookmark
   */
  async reached(kind: string, bookmark: string, options: ReachedOptions = {}): Promise<void> {
    const host = this.#required()
    const { keys, timeoutMs = reachedMs } = options
    const endMs = host.runtime.monotonicMs() + timeoutMs
    const marks = new Map(
      (await this.#queries.committed(bookmark, timeoutMs)).map(({ epoch, seq }) => [epoch, seq]),
    )
    const sought = { kind, keys: keys && new Set(keys.map(String)), upTo: (epoch: Epoch) => marks.get(epoch) }
    await this.#until(host, sought, endMs)
  }

  /**
   * Resolves when fewer than `below` effects of this kind are unfinished, whoever delivers them: what a producer awaits
   * that is not to run ahead of the target.
   *
   * @param options `timeoutMs`: how long to wait, in ms. Default 30,000
   * @throws TidemarkError `EFFECTS_PENDING` when the time is over; `INVALID_CALL`
   */
  async ready(
    kind: string,
    { below, timeoutMs = reachedMs }: { readonly below: number; readonly timeoutMs?: number },
  ): Promise<void> {
    const host = this.#required()
    if (!(below > 0)) throw invalid(`\`below\` must be a number above 0, not ${String(below)}`)
    const endMs = host.runtime.monotonicMs() + timeoutMs
    const isReady = await this.#wakes.until(host.runtime, endMs, async () => {
      const { queued, waiting } = await readQueue(host, kind, host.runtime.wallMs())
      return queued + waiting < below || undefined
    })
    if (isReady === undefined) throw pending(kind)
  }

  /**
   * Resolves when nothing of this kind and these keys is unfinished that was committed before the call, or nobody waits
   * any more.
   */
  async idle(kind: string, keys: readonly string[], signal: AbortSignal): Promise<void> {
    const host = this.#required()
    const rows = await host.ask('SELECT epoch, watermark FROM tidemark_writers', [])
    const marks = new Map(rows.map((row) => [Number(row['epoch']) as Epoch, Number(row['watermark']) as Seq]))
    // An epoch that began since has nothing that was committed before.
    const sought = { kind, keys: new Set(keys), upTo: (epoch: Epoch) => marks.get(epoch) }
    await this.#until(host, sought, Infinity, signal)
  }

  /** Whether somebody handles this kind, or has. */
  async isKnown(kind: string): Promise<boolean> {
    if (this.#dispatchers.has(kind)) return true
    const [row] = await this.#required().ask('SELECT lanes FROM tidemark_kinds WHERE kind = ?', [kind])
    // One that was only ever paused has none.
    return Number(row?.['lanes'] ?? 0) > 0
  }

  /** Dead effects, oldest first; of all kinds without one. */
  async deadLetters(kind?: string, filter?: DeadEffectFilter): Promise<DeadEffect[]> {
    return await listDeadEffects(this.#required(), kind, filter)
  }

  /** Effects that failed and are tried again, are delayed, or held back by one of these; oldest first. */
  async waiting(kind?: string, filter?: DeadEffectFilter): Promise<WaitingEffect[]> {
    return await listWaitingEffects(this.#required(), kind, filter)
  }

  /** Has dead effects tried again. They keep their versions. @returns the ids of those that were dead */
  async redrive(ids: readonly string[]): Promise<string[]> {
    const redriven = await redriveEffects(this.#required(), ids)
    for (const dispatcher of this.#dispatchers.values()) dispatcher.lookAgain()
    return redriven
  }

  /** Deletes dead effects. @returns the ids of those that were dead */
  async discard(ids: readonly string[]): Promise<string[]> {
    return await discardEffects(this.#required(), ids)
  }

  /**
   * Finds rows without their effect, and dead effects without their row. A dry run unless told otherwise; safe beside
   * writes, deliveries and other recoveries; bounded by `limit`.
   *
   * @throws TidemarkError `INVALID_CALL`; as `db.query`
   */
  async recover(kind: string, options: RecoverOptions): Promise<Recovery> {
    const host = this.#required()
    requireKind(kind)
    return await recoverEffects(host, this.#queries.ask, kind, options)
  }

  /**
   * What the handler gave as `result` of an effect, kept for as long as `keepResultsMs` says. A result that came after its
   * caller stopped waiting is there all the same.
   *
   * @param id see `receipt.effectId()`
   * @param options `timeoutMs`: how long to wait for it, in ms. Default 0
   * @returns undefined when there is none
   */
  async result(id: string, options: { readonly timeoutMs?: number } = {}): Promise<Json | undefined> {
    const host = this.#required()
    const place = placeOf(id)
    if (place === undefined) throw new InvalidOperationError('INVALID_CALL', `"${id}" is no id of an effect.`)
    const endMs = host.runtime.monotonicMs() + (options.timeoutMs ?? 0)
    return (await this.#wakes.until(host.runtime, endMs, () => readResult(host, place)))?.result
  }

  /**
   * Nothing more of this kind is begun until `resume`: by this engine from now on, by others once they have looked, which
   * they do every `pollMs`. What is under way goes on. A kind that nobody has handled yet begins paused.
   *
   * @throws TidemarkError `INVALID_CALL`; NotSupportedError
   */
  async pause(kind: string): Promise<void> {
    await this.#setPaused(kind, true)
  }

  async resume(kind: string): Promise<void> {
    await this.#setPaused(kind, false)
  }

  /** Kinds that were ever handled or paused, or have effects that wait for somebody who does. @throws NotSupportedError */
  async kinds(): Promise<string[]> {
    return await readKinds(this.#required())
  }

  /** @throws NotSupportedError */
  async stats(kind: string): Promise<EffectStats> {
    const host = this.#required()
    return this.#withHandler(await readQueue(host, kind, host.runtime.wallMs()))
  }

  /** What the handlers of this engine do and have done, by kind: from memory. */
  handlers(): ReadonlyMap<string, HandlerStats> {
    return new Map([...this.#dispatchers].map(([kind, dispatcher]) => [kind, statsOf(dispatcher)]))
  }

  /**
   * Looks at the effects of every kind now and then, whoever handles them, and raises `alert` once when the oldest of a
   * kind waits too long (`effectsLate`), or nobody handles one that waits (`effectsOrphaned`); and again only after it
   * was in order. A server does it by itself.
   *
   * @throws NotSupportedError; TidemarkError `INVALID_OPTIONS`
   */
  watch(options?: WatchOptions): EffectsWatch {
    const host = this.#required()
    const watch = new EffectsWatch(host, parseWatchOptions(options), {
      withHandler: (queue) => this.#withHandler(queue),
      onTrouble: ({ kind, message, sinceMs, effects }) => {
        if (kind === 'effectsLate' || kind === 'effectsOrphaned')
          this.#events.onAlert({ kind, message, sinceMs, effects })
      },
      onStop: () => this.#watches.delete(watch),
    })
    this.#watches.add(watch)
    return watch
  }

  /** The store keeps effects. */
  get isSupported(): boolean {
    return this.#host !== undefined
  }

  /** Effects of this kind were committed by this engine, or by another. */
  committed(kind: string): void {
    this.#dispatchers.get(kind)?.wake()
  }

  /** This engine handles some kind, or watches them. */
  get isAtWork(): boolean {
    return this.#dispatchers.size + this.#watches.size > 0
  }

  /** Called before the engine closes. */
  async stop(timeoutMs: number): Promise<void> {
    for (const watch of this.#watches) watch.stop()
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => this.#stop(dispatcher, timeoutMs)))
  }

  async #stop(dispatcher: Dispatcher<W>, timeoutMs: number): Promise<void> {
    if (this.#dispatchers.get(dispatcher.kind) === dispatcher) this.#dispatchers.delete(dispatcher.kind)
    this.#stopping.add(dispatcher.kind)
    try {
      await dispatcher.stop(timeoutMs)
    } finally {
      this.#stopping.delete(dispatcher.kind)
    }
  }

  #withHandler(queue: EffectQueue): EffectStats {
    const handler = this.#dispatchers.get(queue.kind)
    return { ...queue, ...(handler && { handler: statsOf(handler) }) }
  }

  async #setPaused(kind: string, isPaused: boolean): Promise<void> {
    const host = this.#required()
    requireKind(kind)
    if (isPaused) await makeKind(host, kind, 0)
    const runs = new OwnRuns()
    runs.add(own.pauseKind, isPaused ? 1 : 0, kind)
    const refusal = await host.commit(runs.runs)
    if (refusal !== undefined) throw refusal
    this.#dispatchers.get(kind)?.setPaused(isPaused)
  }

  async #until(host: EffectsHost, sought: Sought, endMs: number, signal?: AbortSignal): Promise<void> {
    const found = await this.#wakes.until(host.runtime, endMs, async () => {
      const now = signal?.aborted ? nothingLeft : await findUnfinished(host, sought)
      return now.kind === 'pending' ? undefined : now
    })
    if (found === undefined) throw pending(sought.kind)
    if (found.kind === 'dead') throw deadLettered(sought.kind, found.ids)
  }

  #required(): EffectsHost {
    if (this.#host !== undefined) return this.#host
    throw new NotSupportedError(
      'this store keeps no effects.',
      'Open the database with the SQLite or the PostgreSQL store.',
    )
  }
}

function statsOf({ lanes, running, limit, isDown, isPaused, tally }: Dispatcher<never>): HandlerStats {
  const { delivered, failed, dead, calls, callMs, buckets } = tally
  return { lanes, running, limit, isDown, isPaused, delivered, failed, dead, calls, callMs, buckets }
}

function handlerOf<W>(handler: EffectHandler<W> | Target): EffectHandler<W> {
  if (typeof handler === 'function') return handler
  if (typeof (handler as Partial<Target> | null)?.deliver !== 'function')
    throw invalid('the handler must be a function or a target')
  return (effects, context) => handler.deliver(effects, context)
}

function requireKind(kind: unknown): void {
  if (!isKind(kind)) throw invalid(`a kind ${kindRule}, not ${String(kind)}`)
}

function invalid(problem: string): TidemarkError {
  return new TidemarkError('INVALID_CALL', `${problem}.`)
}

function deadLettered(kind: string, ids: readonly string[]): TidemarkError {
  return new TidemarkError(
    'DEAD_LETTERED',
    `effects of kind "${kind}" that this waits for are dead: ${ids.join(', ')}.`,
    {
      hint: 'See `effects.deadLetters()`, mend the cause, then `effects.redrive()`.',
    },
  )
}

function pending(kind: string): TidemarkError {
  return new TidemarkError('EFFECTS_PENDING', `effects of kind "${kind}" are still on their way.`, {
    retryable: true,
    hint: 'Wait again, or longer; `effects.stats()` tells what they wait for.',
  })
}
