/** Whether who waits for effects is told the truth, and what is given up was tried as often as it should. */
import type { Report } from '../violation.ts'
import type { EventOf } from './history.ts'
import type { EffectRecord, EffectsLedger } from './ledger.ts'

/** Of times that were added up. */
const grainMs = 1e-6
/** Refusals that an effect with nothing the matter may meet: far fewer, since an outage takes no attempts. */
const manyAttempts = 20

interface Waiting {
  readonly event: EventOf<'reached'>
  readonly beganAt: number
}

export class WaitJudge {
  readonly #ledger: EffectsLedger
  readonly #report: Report
  readonly #waiting = new Map<number, Waiting>()

  constructor(ledger: EffectsLedger, report: Report) {
    this.#ledger = ledger
    this.#report = report
  }

  began(event: EventOf<'reached'>, beganAt: number): void {
    this.#waiting.set(event.call, { event, beganAt })
  }

  ended({ call, ending, atMs }: EventOf<'reached-ended'>): void {
    const { event, beganAt } = this.#waiting.get(call) as Waiting
    const { epoch, seq, key, timeoutMs } = event
    const sought = [...this.#ledger.effects.values()].filter(
      (effect) =>
        effect.epoch === epoch &&
        effect.seq <= seq &&
        effect.committedAt !== undefined &&
        (key === undefined || effect.key === key),
    )
    if (ending.kind === 'committed') {
      const missing = sought.find((effect) => !this.isFulfilled(effect))
      if (missing) this.#report(8, `call ${call} is told that all is reached, and ${missing.number} is not`)
    } else if (ending.code === 'DEAD_LETTERED') {
      const wasDead = ({ diedAt, kept }: EffectRecord): boolean =>
        kept?.state === 'dead' || diedAt.some((at) => at >= beganAt)
      const wasRedriven = ({ redrives }: EffectRecord): boolean => redrives > 0
      if (!sought.some((effect) => wasDead(effect) || wasRedriven(effect)))
        this.#report(8, `call ${call} is told of dead effects, and there is none`)
    } else if (ending.code === 'EFFECTS_PENDING') {
      if (atMs - event.atMs < timeoutMs - grainMs)
        this.#report(8, `call ${call} is told that its time is over after ${atMs - event.atMs} ms`)
    } else if (ending.code === undefined) {
      this.#report(8, `call ${call} failed by something unforeseen: ${ending.storeCode}`)
    }
  }

  /** The target has got it, and that is committed; or it has got what made it superfluous. */
  isFulfilled(effect: EffectRecord): boolean {
    if (effect.acks > 0) return true
    return this.#ledger.isSuperseded(effect, ({ acks }) => acks > 0)
  }

  /** Called after each commit: what nobody but an outage can be blamed for uses no attempts up. */
  judgeAttempts(): void {
    for (const { number, kept, calls } of this.#ledger.effects.values())
      if ((kept?.attempts ?? 0) > 0 && calls.every(({ by }) => !by.wasAnswered))
        this.#report(
          8,
          `a refusal of effect ${number} counts, and nobody has tried it whom the target answers`,
        )
  }

  /** Called after each commit. */
  judgeDead(at: number): void {
    for (const effect of this.#ledger.effects.values()) {
      if (effect.diedAt.at(-1) !== at) continue
      const { ailment } = effect.planned
      const { maxAttempts = manyAttempts } = effect.calls.at(-1)?.by.opening.handles ?? {}
      const tried = effect.calls.length - effect.callsBeforeRedrive
      if (ailment !== 'hopeless' && tried < maxAttempts)
        this.#report(8, `effect ${effect.number} is dead after ${tried} attempts of ${maxAttempts}`)
      const hasCause = ailment === 'poison' || ailment === 'hopeless' || ailment === 'ack-refused'
      if (!hasCause && maxAttempts >= manyAttempts)
        this.#report(8, `effect ${effect.number} is dead, and nothing is the matter with it`)
    }
  }

  /** When nothing goes wrong any more, everything comes to its end. */
  end({ contents }: EventOf<'end'>): void {
    const results = new Set(contents.results)
    for (const effect of this.#ledger.effects.values()) {
      const { number, committedAt, kept } = effect
      if (committedAt === undefined) {
        if (kept) this.#report(8, `effect ${number} is kept, and its write is not committed`)
      } else if (kept?.state === 'dead') {
        const isWhole =
          kept.number === number && kept.key === effect.key && kept.attempts > 0 && kept.hasError
        if (!isWhole) this.#report(8, `the dead letter of effect ${number} lacks something`)
        if (effect.acks > 0) this.#report(8, `effect ${number} is acked and dead`)
        if (effect.deadAcks === 0) this.#report(8, `effect ${number} is dead, and was not written off`)
      } else if (!this.isFulfilled(effect)) {
        this.#report(8, `effect ${number} is never delivered; it is ${kept?.state ?? 'gone'}`)
      } else if (effect.acks > 0 !== results.has(effect.id)) {
        this.#report(8, `the result of effect ${number} is ${effect.acks > 0 ? 'lost' : 'there already'}`)
      }
    }
    if (contents.segments > 0) this.#report(7, `${contents.segments} segments stay in the outbox`)
  }
}
