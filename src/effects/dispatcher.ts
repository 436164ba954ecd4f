/**
 * Delivers the effects of one kind: takes them from the lanes that this engine holds, hands them to the handler a batch
 * at a time, and gives the lanes back what became of them.
 *
 * Keeps: law 8 (what is taken is settled, put back, or delivered again), law 7 (no more deliveries at once than the
 * limiter allows).
 *
 *   stopped ──start──▶ running ◀──▶ paused
 *                        └──stop──▶ draining ──nothing out, or deadline──▶ stopped (lanes let go)
 */
import type { EffectHandler } from '../contracts/effect.ts'
import type { Timer } from '../contracts/runtime.ts'
import { EngineStoppedError, TidemarkError } from '../errors.ts'
import { EndOfTick } from '../end-of-tick.ts'
import { Calls } from './calls.ts'
import { dropOldDead } from './dead-effects.ts'
import { Holder } from './holder.ts'
import type { EffectsHost } from './host.ts'
import type { Item } from './item.ts'
import type { Lane } from './lane.ts'
import type { Delivery } from './options.ts'
import { Outcomes } from './outcomes.ts'
import { dropOldResults } from './results.ts'
import type { Settled } from './settlement.ts'
import { DeliveryTally } from './tally.ts'

export interface DispatcherEvents {
  readonly onDead: (item: Item, error: string) => void
  readonly onOutage: (isDown: boolean) => void
  /** Something that was not foreseen: the dispatcher goes on at its next look. */
  readonly onTrouble: (error: unknown) => void
  /** Some are committed. */
  readonly onSettled: () => void
}

interface Out {
  readonly lane: Lane
  readonly items: readonly Item[]
}

export class Dispatcher<W> {
  readonly kind: string
  readonly tally: DeliveryTally = new DeliveryTally()
  readonly #host: EffectsHost
  readonly #options: Delivery<W>
  readonly #events: DispatcherEvents
  readonly #holder: Holder
  readonly #outcomes: Outcomes<W>
  readonly #calls: Calls<W>
  /** Effects with rows of their own, taken and not yet given to the handler. */
  #due: Out[] = []
  #timers: { poll?: Timer; due?: Timer; sweep?: Timer | undefined } = {}
  #isPaused = false
  /** How often this engine paused or resumed it. */
  #pauses = 0
  #isStopped = false
  /** It knows how many lanes there are. */
  #isBegun = false
  #isLooking = false
  readonly #giving: EndOfTick
  #nextLane = 0
  /** Where the next effect is from that is to show whether the target is back. */
  #isOutboxNext = true
  #retainedAtMs = Number.NEGATIVE_INFINITY
  #drained: (() => void) | undefined

  constructor(
    host: EffectsHost,
    kind: string,
    handler: EffectHandler<W>,
    options: Delivery<W>,
    events: DispatcherEvents,
  ) {
    this.kind = kind
    this.#host = host
    this.#options = options
    this.#events = events
    this.#outcomes = new Outcomes(options, host.runtime)
    const { runtime } = host
    this.#giving = new EndOfTick(runtime, () => {
      this.#guard(this.#takeDue())
      this.#pump()
    })
    this.#calls = new Calls(runtime, handler, options, this.#outcomes, {
      onRoom: () => this.#schedule(),
      onOutage: events.onOutage,
      onCalled: (ms) => this.tally.called(ms),
      onEnded: () => this.#afterCall(),
    })
    const { batch, leaseMs } = options
    this.#holder = new Holder(
      host,
      kind,
      { leaseMs, atOnce: batch * this.#calls.most },
      {
        onReady: () => this.#schedule(),
        onRetried: () => void this.tally.failed++,
        onWriteRefused: (settled, error) => this.#outcomes.fail([settled.item], error)[0] as Settled,
        onSettled: (settled) => this.#settled(settled),
        onTrouble: (error) => this.#trouble(error),
        onLost: (lane) => {
          this.#due = this.#due.filter((out) => out.lane !== lane)
          this.#calls.abort(new Error('another engine delivers these effects by now'), lane)
        },
      },
    )
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get isDown(): boolean {
    return this.#calls.isDown
  }

  get running(): number {
    return this.#calls.running
  }

  get limit(): number {
    return this.#calls.limit
  }

  get lanes(): number {
    return this.#holder.lanes.size
  }

  /** @throws TidemarkError `INVALID_OPTIONS` when the kind has another number of lanes than was asked for */
  async start(): Promise<void> {
    const { lanes } = this.#options
    const found = await this.#holder.begin(lanes ?? 1)
    if (lanes !== undefined && lanes !== found)
      throw new TidemarkError(
        'INVALID_OPTIONS',
        `kind "${this.kind}" has ${found} lanes, not ${lanes}: their number is fixed when it is handled first.`,
        { hint: `Leave \`lanes\` out, or give ${found}.` },
      )
    this.#isBegun = true
    await this.#look()
    this.#poll()
  }

  /** Effects of this kind were committed. */
  wake(): void {
    if (this.#isStopped) return
    for (const lane of this.#holder.lanes.values()) this.#guard(lane.load())
  }

  /** It was paused, or resumed, by this engine. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#pauses++
    this.#schedule()
  }

  /** Looks for everything that may have changed: lanes, segments of others, effects that are due. */
  lookAgain(): void {
    for (const lane of this.#holder.lanes.values()) lane.noticeRows()
    this.#guard(this.#look())
  }

  /**
   * Takes nothing more, waits for what is under way, and lets the lanes go.
   *
   * @param timeoutMs after which the handler's signals abort; what is not done then is delivered again by another
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopped = true
    for (const timer of Object.values(this.#timers)) timer?.cancel()
    this.#calls.stop()
    this.#putBackDue()
    const drained = Promise.withResolvers<void>()
    this.#drained = drained.resolve
    this.#tellIfDrained()
    const deadline = this.#host.runtime.after(timeoutMs, () => {
      this.#calls.abort(new Error('the engine closes'))
      drained.resolve()
    })
    await drained.promise
    deadline.cancel()
    await this.#holder.letGo()
    // It may be long until somebody looks for what all lanes have passed.
    await this.#holder.sweep().catch((error: unknown) => this.#trouble(error))
  }

  /** As long as it looks, the process lives: it may do nothing else than wait for effects. */
  #poll(): void {
    if (this.#isStopped) return
    this.#timers.poll = this.#host.runtime.after(this.#options.pollMs, () => {
      this.#guard(this.#look().finally(() => this.#poll()))
    })
  }

  async #look(): Promise<void> {
    if (!this.#isBegun || this.#isLooking || this.#isStopped) return
    this.#isLooking = true
    // Until the look after the next, since one may fail.
    this.#host.hear(this.kind, 3 * this.#options.pollMs)
    try {
      await this.#lookWhetherPaused()
      this.#holder.beat()
      await this.#holder.takeLanes()
      await this.#handOver()
      for (const lane of this.#holder.lanes.values()) await lane.look()
      await this.#holder.sweep()
      await this.#retain()
    } finally {
      this.#isLooking = false
    }
    this.#schedule()
  }

  /** What is under way of a lane that another is to have is waited for. */
  async #handOver(): Promise<void> {
    const isAnothers = ({ lane }: Out): boolean => lane.isRetiring
    for (const { lane, items } of this.#due.filter(isAnothers)) lane.putBack(items)
    this.#due = this.#due.filter((out) => !isAnothers(out))
    await this.#holder.handOver((lane) => this.#calls.hasFrom(lane))
  }

  async #lookWhetherPaused(): Promise<void> {
    const pauses = this.#pauses
    const [row] = await this.#host.ask('SELECT paused FROM tidemark_kinds WHERE kind = ?', [this.kind])
    // What was said here meanwhile is newer.
    if (pauses === this.#pauses) this.#isPaused = Number(row?.['paused'] ?? 0) === 1
  }

  async #retain(): Promise<void> {
    const nowMs = this.#host.runtime.monotonicMs()
    if (nowMs - this.#retainedAtMs < retainEveryMs) return
    this.#retainedAtMs = nowMs
    const { keepResultsMs, keepDeadMs } = this.#options
    await dropOldResults(this.#host, this.kind, keepResultsMs)
    if (keepDeadMs !== undefined) await dropOldDead(this.#host, this.kind, keepDeadMs)
  }

  /** At the end of the tick, so that what becomes ready together is delivered together. */
  #schedule(): void {
    if (!this.#isStopped) this.#giving.ask()
  }

  /** Lets go on the effects whose time has come, and wakes when that of the next one comes. */
  async #takeDue(): Promise<void> {
    if (this.#isStopped || this.#isPaused || this.#due.length > 0) return
    const nowMs = this.#host.runtime.wallMs()
    const { batch } = this.#options
    for (const lane of this.#holder.lanes.values()) {
      if (lane.nextDueMs > nowMs) continue
      const items = await lane.takeDue(Math.max(batch, dueAtOnce))
      // It may be lost by now.
      for (let at = 0; at < items.length && !lane.isOver; at += batch)
        this.#due.push({ lane, items: items.slice(at, at + batch) })
    }
    if (this.#isStopped) return this.#putBackDue()
    this.#pump()
    const next = Math.min(...[...this.#holder.lanes.values()].map(({ nextDueMs }) => nextDueMs))
    this.#timers.due?.cancel()
    if (next === Infinity) return
    const leftMs = Math.min(this.#options.pollMs, Math.max(1, next - this.#host.runtime.wallMs()))
    this.#timers.due = this.#host.runtime.after(leftMs, () => this.#schedule(), 'background')
  }

  #putBackDue(): void {
    for (const { lane, items } of this.#due) lane.putBack(items)
    this.#due = []
  }

  #pump(): void {
    while (!this.#isStopped && !this.#isPaused && this.#calls.hasRoom) {
      const out = this.#calls.isDown ? this.#takeProbe() : (this.#due.shift() ?? this.#takeReady())
      if (out === undefined) return
      this.#guard(this.#calls.deliver(out.lane, out.items))
    }
  }

  /**
   * Whether the target is back is asked with one effect at a time, each time another, of the outbox and of rows in turn:
   * those that are refused by their own fault must keep no others from showing that it is.
   */
  #takeProbe(): Out | undefined {
    const isOutboxNext = this.#isOutboxNext
    this.#isOutboxNext = !isOutboxNext
    return isOutboxNext
      ? (this.#takeReady(1) ?? this.#takeOneDue())
      : (this.#takeOneDue() ?? this.#takeReady(1))
  }

  #takeOneDue(): Out | undefined {
    const out = this.#due.shift()
    if (out === undefined) return undefined
    const { lane, items } = out
    if (items.length > 1) this.#due.unshift({ lane, items: items.slice(1) })
    return { lane, items: items.slice(0, 1) }
  }

  /** Each lane in turn. */
  #takeReady(max: number = this.#options.batch): Out | undefined {
    const lanes = [...this.#holder.lanes.values()]
    for (let tried = 0; tried < lanes.length; tried++) {
      const lane = lanes[this.#nextLane++ % lanes.length] as Lane
      if (!lane.hasReady) continue
      const items = lane.take(max)
      if (items.length > 0) return { lane, items }
    }
    return undefined
  }

  #afterCall(): void {
    this.#tellIfDrained()
    this.#guard(this.#handOver())
    this.#schedule()
  }

  #settled(settled: readonly Settled[]): void {
    this.tally.settled(settled)
    for (const { item, settlement } of settled)
      if (settlement.kind === 'dead') this.#events.onDead(item, settlement.error)
    this.#events.onSettled()
    this.#sweepSoon()
  }

  /** Soon after, and not for every settlement. */
  #sweepSoon(): void {
    if (this.#timers.sweep !== undefined || this.#isStopped) return
    this.#timers.sweep = this.#host.runtime.after(
      sweepAfterMs,
      () => {
        this.#timers.sweep = undefined
        if (!this.#isStopped) this.#guard(this.#holder.sweep())
      },
      'background',
    )
  }

  #tellIfDrained(): void {
    if (this.#drained === undefined || this.#calls.size > 0) return
    this.#drained()
  }

  /** What fails here fails again, or not, at the next look; and when the engine has stopped, nothing more is looked at. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.#trouble(error))
  }

  #trouble(error: unknown): void {
    if (error instanceof EngineStoppedError) this.#isStopped = true
    else if (!this.#isStopped) this.#events.onTrouble(error)
  }
}

/** What is under way is looked at with each look for what is due, so few looks are better than many. */
const dueAtOnce = 512
const sweepAfterMs = 50
const retainEveryMs = 60_000
