/**
 * One database whose writers are killed with -9, one behind the other. Each is killed a random while after it said a
 * word, and what it leaves is held against the model.
 *
 * The operations and the delays are the seed's; the moment within a delay is the machine's.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Program, type Exit } from '../support/program.ts'
import { Model, Violation } from './model.ts'
import type { Place } from './place.ts'

/** What a writer says on its way. `repairing`: its first statement runs, which repairs what a killed one left. */
export type Word = 'opening' | 'repairing' | 'ready' | 'acknowledged' | 'closing'

/** Where the kill met the writer. */
export type Moment = 'opening' | 'repairing' | 'writing' | 'inside a transaction' | 'closing' | 'closed'

export interface Kill {
  readonly moment: Moment
  readonly hadAcknowledged: boolean
  /** Operations of this writer that are in the file. */
  readonly survived: number
}

const program = new URL('child.ts', import.meta.url)

/**
 * Over which time behind a word the kills are spread. Opening, repairing and closing end by themselves, so there
 * the time is learned: about two of three kills shall come before the end.
 */
export class Aim {
  readonly #random: () => number
  readonly #spanMs: Record<Word, number> = {
    opening: 60,
    repairing: 6,
    ready: 50,
    acknowledged: 50,
    closing: 20,
  }

  constructor(random: () => number) {
    this.#random = random
  }

  delayMs(word: Word): number {
    return this.#random() * this.#spanMs[word]
  }

  /** How many operations a writer shall write that is to be killed while it closes. */
  operations(): number {
    return 50 + Math.floor(this.#random() * 600)
  }

  learn(word: Word, moment: Moment | 'not killed'): void {
    if (word === 'ready' || word === 'acknowledged') return
    const hasHit = moment === word || (word === 'opening' && moment === 'repairing')
    this.#spanMs[word] *= hasHit ? 1.05 : 0.9
  }
}

export class CrashSite {
  readonly #place: Place
  readonly #seed: number
  readonly #model: Model
  readonly #aim: Aim

  constructor(place: Place, seed: number, aim: Aim) {
    this.#place = place
    this.#seed = seed
    this.#model = new Model(seed)
    this.#aim = aim
  }

  /**
   * Starts a writer and kills it a random while after it said the word.
   *
   * @returns undefined when it had ended before the kill came
   * @throws Violation
   */
  async kill(word: Word): Promise<Kill | undefined> {
    const child = this.#start(word === 'closing' ? this.#aim.operations() : undefined)
    let exit: Exit
    try {
      await child.said(word)
      await delay(this.#aim.delayMs(word))
    } finally {
      exit = await child.kill()
    }
    const isKilled = exit.signal === 'SIGKILL'
    const moment = isKilled ? this.#momentOf(child) : 'not killed'
    this.#aim.learn(word, moment)
    const survived = await this.#check(child, exit)
    return moment === 'not killed'
      ? undefined
      : { moment, hadAcknowledged: child.has('acknowledged'), survived }
  }

  /**
   * After all the kills: one more process writes a little and closes in peace, and everything is still there.
   *
   * @throws Violation
   */
  async finish(): Promise<void> {
    const child = this.#start(500)
    const exit = await child.ended
    const survived = await this.#check(child, exit)
    if (!child.has('closed') || survived < 400)
      throw new Violation(`a writer in peace closed with ${survived} of 500 operations`)
    this.#place.checkIntact()
  }

  #start(last?: number): Program {
    const { address, journalMode, node } = this.#place
    const parameters = [address, this.#seed, journalMode, this.#model.versions]
    return new Program(program, last === undefined ? parameters : [...parameters, last], { node })
  }

  #momentOf(child: Program): Moment {
    if (child.has('repairing') && !child.has('repaired')) return 'repairing'
    if (!child.has('ready')) return 'opening'
    if (child.has('closed')) return 'closed'
    if (child.has('closing')) return 'closing'
    return this.#place.diedInsideTransaction() ? 'inside a transaction' : 'writing'
  }

  /**
   * Has a writer meet `outage` a random while after its first acknowledgement, and kills it when it has gone on.
   *
   * @throws Violation
   */
  async outlive(outage: () => Promise<void>): Promise<Kill> {
    const child = this.#start()
    let exit: Exit
    try {
      await child.said('acknowledged')
      await delay(this.#aim.delayMs('acknowledged'))
      await outage()
      const said = child.lines.length
      while (child.lines.length <= said) await delay(5)
    } finally {
      exit = await child.kill()
    }
    return { moment: 'writing', hadAcknowledged: true, survived: await this.#check(child, exit) }
  }

  /** @returns the operations of the writer that are there */
  async #check(child: Program, { code, signal }: Exit): Promise<number> {
    const said = child.lines.filter((line) => line !== 'repairing' && line !== 'repaired')
    try {
      if (signal !== 'SIGKILL' && code !== 0)
        throw new Violation(`a writer ended with ${signal ?? `code ${code}`}: ${child.stderr}`)
      return await this.#place.look((looks) => this.#model.endEpoch(looks, said))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const end = child.lines.slice(-5).join('\n')
      throw new Violation(`${this.#place.address}: ${message}\nThe last that the writer said:\n${end}`, {
        cause: error,
      })
    }
  }
}
