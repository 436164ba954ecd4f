/**
 * The calls of a kind's handler: as many at once as its target takes; each ends with its answer, or when its time is over,
 * and gives its effects back to their lane with what became of them.
 *
 * Owns: the limiter, what is known of an outage, and the signals of the calls under way. Keeps: law 7 (no more at once
 * than the limiter allows), law 8 (what is taken is settled, or put back where its target is down; what is refused while
 * nobody knows whether the target is up, or is broken off with its call, is tried again, and that was no attempt).
 *
 *   begun ──answer──▶ settled, or put back
 *     └──time over──▶ tried again ──answer──▶ settled, as far as it is not too late
 */
import type { EffectHandler } from '../contracts/effect.ts'
import { Item } from './item.ts'
import type { Lane } from './lane.ts'
import { Limiter } from './limiter.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { Delivery } from './options.ts'
import { Outage } from './outage.ts'
import { endOf, refusalOf, type Outcomes, type Refusal } from './outcomes.ts'
import { Settled } from './settlement.ts'

export interface CallsEvents {
  /** There may be room for more. */
  readonly onRoom: () => void
  readonly onOutage: (isDown: boolean) => void
  /** One has been answered in time. */
  readonly onCalled: (ms: number) => void
  /** One is no longer under way. */
  readonly onEnded: () => void
}

export class Calls<W> {
  readonly #runtime: Runtime
  readonly #handler: EffectHandler<W>
  readonly #timeoutMs: number
  readonly #outcomes: Outcomes<W>
  readonly #events: CallsEvents
  readonly #limiter: Limiter
  readonly #outage: Outage
  /** Those under way, and from which lane each has its effects. */
  readonly #lanes = new Map<AbortController, Lane>()

  constructor(
    runtime: Runtime,
    handler: EffectHandler<W>,
    { concurrency, timeoutMs }: Pick<Delivery<W>, 'concurrency' | 'timeoutMs'>,
    outcomes: Outcomes<W>,
    events: CallsEvents,
  ) {
    this.#runtime = runtime
    this.#handler = handler
    this.#timeoutMs = timeoutMs
    this.#outcomes = outcomes
    this.#events = events
    this.#outage = new Outage(runtime, events.onRoom, events.onOutage)
    this.#limiter = new Limiter(
      concurrency === 'adaptive' ? {} : { min: concurrency, max: concurrency },
      runtime,
    )
  }

  get running(): number {
    return this.#limiter.running
  }

  get limit(): number {
    return this.#limiter.limit
  }

  get most(): number {
    return this.#limiter.max
  }

  get hasRoom(): boolean {
    const { room } = this.#outage
    return room === undefined ? this.#limiter.hasRoom : this.#limiter.running < room
  }

  /** The target takes nothing: each call looks whether it is back. */
  get isDown(): boolean {
    return this.#outage.isDown
  }

  get size(): number {
    return this.#lanes.size
  }

  hasFrom(lane: Lane): boolean {
    return [...this.#lanes.values()].includes(lane)
  }

  /** @param lane whose effects they have; all calls without */
  abort(reason: Error, lane?: Lane): void {
    for (const [call, from] of this.#lanes) if (lane === undefined || lane === from) call.abort(reason)
  }

  stop(): void {
    this.#outage.stop()
  }

  /** Calls the handler with effects of the lane. Whoever calls it has seen that there is room. */
  async deliver(lane: Lane, items: readonly Item[]): Promise<void> {
    const delivery = this.#limiter.begin()
    const call = new AbortController()
    this.#lanes.set(call, lane)
    const startedMs = this.#runtime.monotonicMs()
    let isLate = false
    const expiry = this.#runtime.after(this.#timeoutMs, () => {
      isLate = true
      const error = new DOMException(`the handler took longer than ${this.#timeoutMs} ms`, 'TimeoutError')
      call.abort(error)
      delivery.end('overload')
      this.#lanes.delete(call)
      this.#outage.refused(idsOf(items), 0)
      this.#keep(lane, items, this.#outcomes.fail(items, error, this.#outage.isUp), 0)
      this.#events.onEnded()
    })
    let settled: Settled[]
    let refusal: Refusal | undefined
    /** @returns whether what failed has used up an attempt */
    const hear = (answer: unknown): boolean => {
      // Of a call that was broken off, what is said need not be the target's word.
      if (call.signal.aborted) return false
      refusal = refusalOf(answer, this.#runtime)
      if (refusal) this.#outage.refused(idsOf(items), refusal.askedMs)
      return !refusal || this.#outage.isUp
    }
    try {
      const answer = await this.#handler(
        items.map(({ effect }) => effect),
        { signal: call.signal },
      )
      settled = this.#outcomes.settle(items, answer, hear(answer))
    } catch (error) {
      settled = this.#outcomes.fail(items, error, hear([{ kind: 'retry', error }]))
    }
    if (isLate) return endedLate(lane, settled)
    expiry.cancel()
    this.#lanes.delete(call)
    this.#events.onCalled(this.#runtime.monotonicMs() - startedMs)
    delivery.end(endOf(settled, refusal !== undefined))
    if (refusal) this.#keep(lane, items, settled, refusal.askedMs)
    else {
      if (!call.signal.aborted) this.#outage.answered()
      lane.answered(settled)
    }
    this.#events.onEnded()
  }

  /** Where the target is down, it is no fault of theirs: they wait where they are, or as long as one of them alone was told to. */
  #keep(lane: Lane, items: readonly Item[], settled: readonly Settled[], askedMs: number): void {
    const waitsByItself = askedMs > 0 && this.#outage.refusesOne
    if (this.#outage.isDown && !waitsByItself) lane.putBack(items)
    else lane.settle(settled)
  }
}

function idsOf(items: readonly Item[]): string[] {
  return items.map(({ effect }) => effect.id)
}

/** Its effects are tried again already, but what was delivered is delivered, and its result is not lost. */
function endedLate(lane: Lane, settled: readonly Settled[]): void {
  const done = settled
    .filter(({ settlement }) => settlement.kind === 'delivered')
    .map(({ item, settlement }) => {
      const { effect, dueAtMs, isLatestOnly, failures } = item
      return new Settled(new Item(item, effect, dueAtMs, isLatestOnly, failures), settlement)
    })
  if (done.length > 0) lane.settleLate(done)
}
