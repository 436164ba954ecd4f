/**
 * One database file whose writers are killed with -9, one behind the other. Each is killed a random while after
 * it said a word, and the file it leaves is held against the model, in a copy: the next writer finds the file as
 * the kill left it.
 *
 * The operations and the delays are the seed's; the moment within a delay is the machine's.
 */
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { change, copyDatabase } from '../support/database.ts'
import { diedInsideTransaction } from '../support/journal.ts'
import { Program, type Exit } from '../support/program.ts'
import { checkIntact, Model, Violation } from './model.ts'
import { schema } from './workload.ts'

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
const preload = fileURLToPath(new URL('tell-repair.ts', import.meta.url))

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

export class CrashFile {
  readonly path: string
  readonly #seed: number
  readonly #journalMode: 'wal' | 'delete'
  readonly #model: Model
  readonly #aim: Aim

  /** @param folder where to make the file; nothing else may be there */
  constructor(folder: string, seed: number, journalMode: 'wal' | 'delete', aim: Aim) {
    this.path = path.join(folder, 'app.db')
    this.#seed = seed
    this.#journalMode = journalMode
    this.#model = new Model(seed)
    this.#aim = aim
    change(this.path, schema)
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
    const survived = this.#check(child, exit)
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
    const survived = this.#check(child, exit)
    if (!child.has('closed') || survived < 400)
      throw new Violation(`${this.path}: a writer in peace closed with ${survived} of 500 operations`)
    checkIntact(this.path)
  }

  #start(last?: number): Program {
    const parameters = [this.path, this.#seed, this.#journalMode, this.#model.versions]
    return new Program(program, last === undefined ? parameters : [...parameters, last], {
      node: ['--import', preload],
    })
  }

  #momentOf(child: Program): Moment {
    if (!child.has('repairing')) return 'opening'
    if (!child.has('repaired')) return 'repairing'
    if (!child.has('ready')) return 'opening'
    if (child.has('closed')) return 'closed'
    if (child.has('closing')) return 'closing'
    return diedInsideTransaction(this.path) ? 'inside a transaction' : 'writing'
  }

  /** @returns the operations of the writer that are in the file */
  #check(child: Program, { code, signal }: Exit): number {
    const copy = `${this.path}.copy`
    const said = child.lines.filter((line) => line !== 'repairing' && line !== 'repaired')
    try {
      if (signal !== 'SIGKILL' && code !== 0)
        throw new Violation(`a writer ended with ${signal ?? `code ${code}`}: ${child.stderr}`)
      copyDatabase(this.path, copy)
      return this.#model.endEpoch(copy, said)
    } catch (error) {
      writeFileSync(`${this.path}.said`, child.lines.join('\n'))
      const message = error instanceof Error ? error.message : String(error)
      throw new Violation(`${this.path}: ${message}`, { cause: error })
    } finally {
      for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(copy + ending, { force: true })
    }
  }
}
