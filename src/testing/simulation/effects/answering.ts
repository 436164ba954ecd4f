/** What a handler does in the simulated world: asks the target, and says what became of each effect. */
import type { Effect, EffectOutcome } from '../../../index.ts'
import type { EngineId } from '../history.ts'
import type { SimulatedProcess } from '../process.ts'
import type { EffectsWorldParts } from './actor.ts'
import type { AckKind, EffectNumber, SeenEffect } from './history.ts'
import type { Ailment } from './program.ts'
import type { Answer } from './target.ts'

/** What a handler is given to write to. */
interface AckGroup {
  insert(table: 'acks', row: { effect: number; kind: AckKind }): void
}

/** The rows that handlers write with their acks. */
export class Acks {
  readonly #ailmentOf: (effect: EffectNumber) => Ailment
  readonly #refused = new Set<EffectNumber>()

  constructor(ailmentOf: (effect: EffectNumber) => Ailment) {
    this.#ailmentOf = ailmentOf
  }

  /** Whether this one's row will break a constraint. */
  isRefused(effect: EffectNumber): boolean {
    const ailment = this.#ailmentOf(effect)
    if (ailment !== 'ack-refused-once') return ailment === 'ack-refused'
    const isFirst = !this.#refused.has(effect)
    this.#refused.add(effect)
    return isFirst
  }

  write(to: never, { payload }: Effect, kind: AckKind, isRefused = false): void {
    const group: AckGroup = to
    group.insert('acks', { effect: isRefused ? -Number(payload) : Number(payload), kind })
  }
}

export class Answering {
  readonly #engine: EngineId
  readonly #process: SimulatedProcess
  readonly #world: EffectsWorldParts

  constructor(engine: EngineId, process: SimulatedProcess, world: EffectsWorldParts) {
    this.#engine = engine
    this.#process = process
    this.#world = world
  }

  async answer(
    effects: readonly Effect[],
    signal: AbortSignal,
    obeysSignal: boolean,
  ): Promise<EffectOutcome<never>[]> {
    const { recorder, target, numbering } = this.#world
    const call = numbering.nextCall()
    const seen = effects.map(seenOf)
    recorder.add({ kind: 'call', engine: this.#engine, call, effects: seen })
    recorder.operations++
    const aborted = Promise.withResolvers<never>()
    aborted.promise.catch(() => undefined)
    signal.addEventListener('abort', () => {
      recorder.add({ kind: 'aborted', call })
      if (obeysSignal) aborted.reject(signal.reason as Error)
    })
    try {
      const asked = target.deliver({ process: this.#process, call, effects: seen })
      const answers = await Promise.race([asked, aborted.promise])
      const outcomes = effects.map((effect, at) => this.#outcomeOf(effect, answers[at] ?? 'failed'))
      const kinds = outcomes.map((outcome) => outcome?.kind ?? 'delivered')
      recorder.add({ kind: 'answered', call, outcomes: kinds, error: undefined })
      return outcomes
    } catch (error) {
      recorder.add({ kind: 'answered', call, outcomes: undefined, error: String(error) })
      throw error
    }
  }

  #outcomeOf(effect: Effect, answer: Answer): EffectOutcome<never> {
    const { acks } = this.#world
    switch (answer) {
      case 'ok': {
        const isRefused = acks.isRefused(Number(effect.payload))
        return {
          kind: 'delivered',
          result: effect.payload,
          write: (to) => acks.write(to, effect, 'delivered', isRefused),
        }
      }
      case 'failed':
        return { kind: 'retry', error: new Error('it is poison') }
      case 'busy':
        return { kind: 'retry', error: Object.assign(new Error('too many requests'), { status: 429 }) }
      case 'hopeless':
        return {
          kind: 'dead',
          error: new Error('it will never do'),
          write: (to) => acks.write(to, effect, 'dead'),
        }
    }
  }
}

function seenOf({ payload, id, key, version, attempt }: Effect): SeenEffect {
  return { number: Number(payload), id, key, version, attempt }
}
