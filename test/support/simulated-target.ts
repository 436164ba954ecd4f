/** A target as a limiter meets it: it works on some requests at once, lets others wait, and refuses the rest. */
import type { Random } from '../../src/testing/simulation/random.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface TargetBehaviour {
  /** The median. */
  readonly serviceMs: number
  /** Of the logarithm of service times: 0.3 is a database, 1 a model that answers in one word or in a hundred. */
  readonly spread: number
  /** How many requests it works on at once; 0 during an outage. */
  readonly capacityAt: (ms: number) => number
  /** How many wait for their turn before the next is refused. */
  readonly queue: number
  /** What it does without capacity: refuses at once, or says nothing. */
  readonly whenDown?: 'refuses' | 'hangs'
}

/** There and back: also a refusal is a round trip. */
const refusalMs = 50

export class SimulatedTarget {
  readonly #behaviour: TargetBehaviour
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #waiting: ((isServed: boolean) => void)[] = []
  #working = 0

  constructor(behaviour: TargetBehaviour, time: VirtualTime, random: Random) {
    this.#behaviour = behaviour
    this.#time = time
    this.#random = random
  }

  /** What has begun is worked on to its end, also when nobody waits for the answer any more. */
  request(answer: (isServed: boolean) => void): void {
    const { capacityAt, queue, whenDown } = this.#behaviour
    const capacity = capacityAt(this.#time.monotonicMs())
    if (capacity === 0 && whenDown === 'hangs') return
    if (this.#working < capacity) this.#work(answer)
    else if (capacity > 0 && this.#waiting.length < queue) this.#waiting.push(answer)
    else this.#time.after(refusalMs, () => answer(false))
  }

  #work(answer: (isServed: boolean) => void): void {
    this.#working++
    this.#time.after(this.#serviceMs(), () => {
      this.#working--
      while (this.#working < this.#behaviour.capacityAt(this.#time.monotonicMs())) {
        const next = this.#waiting.shift()
        if (next === undefined) break
        this.#work(next)
      }
      // Those that wait come before what is asked for in answer to this.
      answer(true)
    })
  }

  /** Logarithms of service times are about normal: the sum of twelve chances is. */
  #serviceMs(): number {
    let normal = -6
    for (let count = 0; count < 12; count++) normal += this.#random.next()
    return this.#behaviour.serviceMs * Math.exp(normal * this.#behaviour.spread)
  }
}
