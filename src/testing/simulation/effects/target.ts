/**
 * The target, and the network to it. Requests take a while, and go on when the process that made them dies; answers and
 * requests are lost; the target refuses, breaks off, is slow, or says nothing. What it got, it got.
 */
import type { Faults } from '../faults.ts'
import type { SimulatedProcess } from '../process.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { EffectNumber, SeenEffect } from './history.ts'
import type { Ailment, TargetMode } from './program.ts'

export type Answer = 'ok' | 'failed' | 'hopeless' | 'busy'

export interface Request {
  readonly process: SimulatedProcess
  readonly call: number
  readonly effects: readonly SeenEffect[]
}

/** How often a target refuses an effect with this before it takes it. */
const refusals: Readonly<Record<Ailment, number>> = {
  none: 0,
  'fails-once': 1,
  'fails-thrice': 3,
  poison: Infinity,
  hopeless: Infinity,
  'ack-refused-once': 0,
  'ack-refused': 0,
}

/** What a target that is not there fails with. */
const absences = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETDOWN']

export class SimulatedTarget {
  mode: TargetMode = 'up'
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #faults: Faults
  readonly #ailmentOf: (effect: EffectNumber) => Ailment
  readonly #onDelivered: (call: number, effect: SeenEffect) => void
  readonly #refused = new Map<EffectNumber, number>()
  #lossShare: number
  #modeEndsAtMs = 0

  constructor(
    surroundings: { readonly scheduler: Scheduler; readonly random: Random; readonly faults: Faults },
    lossShare: number,
    ailmentOf: (effect: EffectNumber) => Ailment,
    onDelivered: (call: number, effect: SeenEffect) => void,
  ) {
    this.#scheduler = surroundings.scheduler
    this.#random = surroundings.random
    this.#faults = surroundings.faults
    this.#lossShare = lossShare
    this.#ailmentOf = ailmentOf
    this.#onDelivered = onDelivered
  }

  be(mode: TargetMode, forMs: number): void {
    this.mode = mode
    this.#modeEndsAtMs = this.#scheduler.nowMs + forMs
    this.#scheduler.after(forMs, () => {
      if (this.#scheduler.nowMs >= this.#modeEndsAtMs) this.mode = 'up'
    })
  }

  /** It and the network do what they are there for. */
  recover(): void {
    this.mode = 'up'
    this.#lossShare = 0
  }

  /** @returns what it says of each effect; never, when a request or an answer is lost */
  deliver(request: Request): Promise<readonly Answer[]> {
    const answer = Promise.withResolvers<readonly Answer[]>()
    const reply = (settle: () => void): void => {
      if (this.#isLost('answer-of-target-lost')) return
      this.#scheduler.after(this.#travelMs(), () => request.process.run(settle))
    }
    if (!this.#isLost('request-to-target-lost'))
      this.#scheduler.after(this.#travelMs(), () =>
        this.#arrive(
          request,
          (answers) => reply(() => answer.resolve(answers)),
          (error) => reply(() => answer.reject(error)),
        ),
      )
    return answer.promise
  }

  #arrive(
    request: Request,
    answer: (answers: readonly Answer[]) => void,
    fail: (error: Error) => void,
  ): void {
    const { effects } = request
    switch (this.mode) {
      case 'up':
        return answer(this.#take(request, effects))
      case 'slow':
        this.#faults.happened('target-slow')
        return void this.#scheduler.after(this.#random.between(5, 120), () =>
          answer(this.#take(request, effects)),
        )
      case 'down':
        this.#faults.happened('target-down')
        return fail(fetchFailed(absences[request.call % absences.length]))
      case 'busy':
        this.#faults.happened('target-busy')
        if (this.#random.chance(0.5)) return answer(effects.map(() => 'busy'))
        return fail(Object.assign(new Error('unavailable'), { status: 503 }))
      case 'breaks-off':
        this.#faults.happened('target-breaks-off')
        this.#take(request, effects.slice(0, Math.ceil(effects.length / 2)))
        return fail(Object.assign(new Error('internal error'), { status: 500 }))
      case 'hangs':
        return this.#faults.happened('target-hangs')
    }
  }

  #take({ call }: Request, effects: readonly SeenEffect[]): Answer[] {
    return effects.map((effect) => {
      const ailment = this.#ailmentOf(effect.number)
      const refused = this.#refused.get(effect.number) ?? 0
      if (refused < refusals[ailment]) {
        this.#refused.set(effect.number, refused + 1)
        return ailment === 'hopeless' ? 'hopeless' : 'failed'
      }
      this.#onDelivered(call, effect)
      return 'ok'
    })
  }

  #travelMs(): number {
    return this.#random.between(0.1, 4)
  }

  #isLost(fault: 'request-to-target-lost' | 'answer-of-target-lost'): boolean {
    if (!this.#random.chance(this.#lossShare)) return false
    this.#faults.happened(fault)
    return true
  }
}

function fetchFailed(code: string | undefined): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('nobody is there'), { code }) })
}
