/**
 * Whether what the target got, and what handlers wrote, is what law 8 promises: nothing that is not committed for good,
 * each key in order, nothing twice without a reason, each ack once.
 */
import type { Report } from '../violation.ts'
import type { EffectsContents, EventOf, SeenEffect } from './history.ts'
import type { CallRecord, Delivery, EffectRecord, EffectsLedger } from './ledger.ts'
import type { EffectsProgram } from './program.ts'

/** So much a clock that has no fractions may be off, in ms. */
const clockGrain = 2

export class DeliveryJudge {
  readonly #ledger: EffectsLedger
  readonly #report: Report
  readonly #haveClocksJumped: boolean
  readonly #running = new Set<CallRecord>()

  constructor(ledger: EffectsLedger, program: EffectsProgram, report: Report) {
    this.#ledger = ledger
    this.#report = report
    this.#haveClocksJumped = program.steps.some(({ kind }) => kind === 'jump-clock')
  }

  called(event: EventOf<'call'>, at: number): void {
    const call = this.#ledger.call(event, event.atMs, at)
    const { by, effects } = call
    const { batch = 64, concurrency = 'adaptive' } = by.opening.handles ?? {}
    if (by.isClosing) this.#report(9, `engine ${by.engine} calls a handler after close() was called`)
    if (event.effects.length > batch) this.#report(7, `call ${call.call} has ${effects.length} effects`)
    const mine = [...this.#running].filter((other) => other.by === by && !other.isAborted)
    if (concurrency !== 'adaptive' && mine.length >= concurrency)
      this.#report(7, `engine ${by.engine} calls its handler ${mine.length + 1} times at once`)
    const keys = [...mine.flatMap((other) => other.effects), ...effects].flatMap(({ key }) => key ?? [])
    if (new Set(keys).size < keys.length)
      this.#report(8, `call ${call.call} has a key that is under way already, or twice`)
    for (const effect of event.effects) this.#judgeSeen(call, effect)
    this.#running.add(call)
  }

  /** It is as it was written, and its time has come. */
  #judgeSeen(call: CallRecord, seen: SeenEffect): void {
    const effect = this.#ledger.effects.get(seen.number)
    if (effect === undefined) return this.#report(8, `effect ${seen.number} was never written`)
    if (seen.id !== effect.id || seen.key !== effect.key)
      this.#report(8, `effect ${seen.number} is ${effect.id}, and comes as ${seen.id} of key ${seen.key}`)
    if (effect.version !== undefined && effect.version !== seen.version)
      this.#report(8, `effect ${seen.number} has version ${effect.version}, and comes with ${seen.version}`)
    effect.version = seen.version
    if (!effect.isDurable) this.#report(8, `effect ${seen.number} is delivered before its commit is durable`)
    const dueMs = effect.committedMs + effect.planned.delayMs
    if (!this.#haveClocksJumped && effect.planned.delayMs > 0 && call.startedMs < dueMs - clockGrain)
      this.#report(8, `effect ${seen.number} is delivered ${dueMs - call.startedMs} ms before its time`)
    // Of several lanes it is not known which is the effect's: the first that it has taken must be enough.
    const taken = this.#ledger.takings.find(({ by }) => by === call.by.epoch)
    if (effect.ackedAt !== undefined && taken !== undefined && effect.ackedAt < taken.at)
      this.#report(8, `effect ${seen.number} is given out, and was finished when the lane was taken`)
    const before = effect.calls.at(-2)
    if (before && this.#whyAgain(effect, before, call) === undefined)
      this.#report(
        8,
        `effect ${seen.number} is given out again in call ${call.call}, and nothing explains it`,
      )
  }

  ended(call: CallRecord): void {
    this.#running.delete(call)
  }

  delivered({ call: number, effect: { number: which } }: EventOf<'delivered'>, at: number): void {
    const effect = this.#ledger.effects.get(which)
    const call = this.#ledger.calls.get(number)
    if (effect === undefined || call === undefined) return
    if (effect.committedAt === undefined)
      this.#report(8, `effect ${which} is delivered, and its write is not committed`)
    const isFirst = effect.deliveries.length === 0
    const delivery: Delivery = { at, call }
    if (isFirst) this.#judgeOrder(effect, call)
    effect.deliveries.push(delivery)
  }

  #judgeOrder(effect: EffectRecord, call: CallRecord): void {
    if (effect.key === undefined) return
    for (const other of this.#ledger.byKey.get(effect.key) ?? []) {
      if (other === effect || other.committedAt === undefined) continue
      const isLater = this.#ledger.isBefore(effect, other)
      if (
        other.version !== undefined &&
        effect.version !== undefined &&
        this.#isOrderPromised(effect, other)
      ) {
        if (isLater !== other.version > effect.version)
          this.#report(8, `the versions of effects ${effect.number} and ${other.number} are not in order`)
      }
      if (isLater && other.deliveries.length > 0 && !this.#mayComeAfter(effect, other, call))
        this.#report(8, `effect ${effect.number} comes after the later ${other.number} of its key`)
    }
  }

  /** Commits of one machine have one order: so it is for all effects of a key. */
  #isOrderPromised(one: EffectRecord, other: EffectRecord): boolean {
    return one.committedAt !== undefined && other.committedAt !== undefined
  }

  /**
   * It was given up in between. Or the later one made it superfluous: to whoever did not know yet, or has lost the lane,
   * as a repetition would.
   */
  #mayComeAfter(effect: EffectRecord, later: EffectRecord, call: CallRecord): boolean {
    if (effect.diedAt.length > 0) return true
    const { by } = call
    const isAnothers = this.#ledger.takings.at(-1)?.by !== by.epoch
    const hasLost = by.endedAt !== undefined || isAnothers || this.#wasTakenAnewSince(call)
    if (later.ackedAt !== undefined && !hasLost) return false
    // To whoever has lost the lane also one between them, which was delivered meanwhile.
    return this.#ledger.isSuperseded(
      effect,
      (other) => other === later || (hasLost && other.deliveries.length > 0),
    )
  }

  /** A lane was, by whomever: an engine that has let one go may take it anew while a handler of its own is late. */
  #wasTakenAnewSince({ startedAt }: CallRecord): boolean {
    const { takings } = this.#ledger
    const isAnew = (index: number): boolean =>
      takings.findIndex(({ lane }) => lane === takings[index]?.lane) < index
    return takings.some(({ at }, index) => at > startedAt && isAnew(index))
  }

  /** @returns what explains that an effect is given out again after a call */
  #whyAgain(effect: EffectRecord, before: CallRecord, now: CallRecord): string | undefined {
    const { by, startedAt, answeredAt, outcomes, effects } = before
    if (by.endedAt !== undefined) return 'its engine has ended'
    if (effect.diedAt.some((at) => at >= startedAt)) return 'redriven'
    const takings = this.#ledger.takings.filter((taking) => taking.by === now.by.epoch)
    if (takings.length > 0 && before.by !== now.by) return 'the lane went from one to the other'
    if (takings.some(({ at }) => at >= startedAt)) return 'the lane was taken anew'
    if (this.#ledger.lostReplies.some((at) => at >= startedAt))
      return 'nobody knew whether its ack was refused'
    if (effect.planned.ailment.startsWith('ack-refused')) return 'its ack was refused'
    const { timeoutMs = 60_000 } = now.by.opening.handles ?? {}
    if (answeredAt === undefined) return before.isAborted ? 'timeout' : undefined
    if (before.isAborted && now.startedMs - before.startedMs >= timeoutMs) return 'timeout'
    const outcome = outcomes?.[effects.indexOf(effect)]
    return outcome === 'delivered' ? undefined : 'it failed'
  }

  /** @param isOld they were committed before */
  committed({ acks, ackCount }: EffectsContents, at: number, isOld = false): void {
    for (const [, which, kind] of acks) {
      const effect = this.#ledger.effects.get(which)
      if (effect === undefined) return this.#report(8, `something was acked that was never written: ${which}`)
      if (kind === 'dead') {
        effect.deadAcks++
        if (!isOld && effect.kept?.state !== 'dead')
          this.#report(8, `effect ${which} is written off, and not dead`)
        if (effect.deadAcks > effect.redrives + 1)
          this.#report(3, `effect ${which} is written off ${effect.deadAcks} times`)
        continue
      }
      effect.acks++
      effect.ackedAt = at
      if (effect.acks > 1) this.#report(3, `the ack of effect ${which} is committed ${effect.acks} times`)
      if (effect.deliveries.length === 0)
        this.#report(8, `effect ${which} is acked, and the target has not got it`)
      if (effect.kept !== undefined)
        this.#report(8, `effect ${which} is acked, and still ${effect.kept.state}`)
    }
    const known = [...this.#ledger.effects.values()].reduce((sum, one) => sum + one.acks + one.deadAcks, 0)
    if (known !== ackCount) this.#report(3, `${ackCount} acks are there, not ${known}`)
  }
}
