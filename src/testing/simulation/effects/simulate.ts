/**
 * Runs a program in the simulated world of effects, and gives its history. The same program has the same history, to
 * the letter.
 *
 * When the program is over nothing goes wrong any more: whoever stood still goes on, somebody handles effects, and all
 * that was written must be finished. Then every engine is closed.
 */
import type { WriteLock } from '../connection.ts'
import { Faults } from '../faults.ts'
import { FaultyStore } from '../faulty-store.ts'
import { harm } from '../harm.ts'
import { Machine } from '../machine.ts'
import { SimulatedProcess } from '../process.ts'
import { Random } from '../random.ts'
import { Recorder } from '../recorder.ts'
import { Scheduler } from '../scheduler.ts'
import { EffectsActor, type EffectsWorldParts } from './actor.ts'
import { Acks } from './answering.ts'
import { countEffectFaults } from './consequences.ts'
import type { EffectsContents, EffectsHappening, EffectsHistory } from './history.ts'
import { effectsSchema } from './look.ts'
import type { EffectsAction, EffectsOpening, EffectsProgram, EffectsStep } from './program.ts'
import { SimulatedTarget } from './target.ts'
import { Numbering } from './write.ts'

const closeTimeoutMs = 60_000
const closePatienceMs = 300_000
/** By then whatever was on its way to the database has arrived. */
const settlingMs = 200
const hourMs = 3_600_000

export async function simulateEffects(program: EffectsProgram): Promise<EffectsHistory> {
  const world = new EffectsWorld(program)
  await world.run()
  return world.history
}

type Call = Exclude<
  EffectsAction,
  { kind: 'open' | 'stop' | 'kill' | 'jump-clock' | 'lose-power' | 'target' }
>

class EffectsWorld {
  readonly #program: EffectsProgram
  readonly #scheduler = new Scheduler()
  readonly #recorder = new Recorder<EffectsHappening>(this.#scheduler)
  readonly #random: Random
  readonly #faults: Faults
  readonly #machine: Machine<EffectsContents>
  readonly #lock: WriteLock = { holder: undefined }
  readonly #parts: EffectsWorldParts
  /** By the number of the process; a process that was killed is replaced by one that is started anew. */
  readonly #actors = new Map<number, EffectsActor>()
  readonly #everyActor: EffectsActor[] = []
  /** How each process was opened last. */
  readonly #openings = new Map<number, EffectsOpening>()
  #executing: SimulatedProcess | undefined
  #contents: EffectsContents | undefined

  constructor(program: EffectsProgram) {
    this.#program = program
    const random = (this.#random = new Random(program.seed))
    const recorder = this.#recorder
    const faults = (this.#faults = new Faults(program.faults, (fault) =>
      recorder.add({ kind: 'fault', fault }),
    ))
    this.#machine = new Machine(effectsSchema, faults, {
      onCommitted: (contents) => {
        this.#contents = contents
        recorder.add({ kind: 'committed', contents })
      },
      onWentBack: (contents) => {
        this.#contents = contents
        recorder.add({ kind: 'went-back', contents })
      },
      onDeath: () => this.#executing?.kill(),
    })
    const numbering = new Numbering()
    const ailmentOf = numbering.ailmentOf.bind(numbering)
    const target = new SimulatedTarget(
      { scheduler: this.#scheduler, random, faults },
      program.lossShare,
      ailmentOf,
      (call, effect) => recorder.add({ kind: 'delivered', call, effect }),
    )
    this.#parts = { recorder, target, numbering, acks: new Acks(ailmentOf) }
  }

  get history(): EffectsHistory {
    const { events, operations } = this.#recorder
    const faults = new Map(this.#faults.counts)
    countEffectFaults(events, faults)
    return { program: this.#program, events, operations, faults }
  }

  async run(): Promise<void> {
    let atMs = 0
    for (const step of this.#program.steps) {
      atMs += step.afterMs
      this.#scheduler.at(atMs, () => this.#act(step))
    }
    await this.#scheduler.run(atMs)
    await this.#end()
    this.#machine.close()
  }

  async #end(): Promise<void> {
    this.#faults.end()
    this.#parts.target.recover()
    for (const { process } of this.#everyActor) process.resume()
    this.#recorder.add({ kind: 'peace' })
    await this.#pass(settlingMs)
    // Somebody who handles, whoever is left; and who resumes what was paused.
    const last = { ...this.#program.last, process: this.#program.processes }
    this.#open(last)
    this.#call({ kind: 'resume', process: last.process })
    await this.#pass(settlingMs)
    await this.#pass(this.#program.patienceMs, () => this.#isFinished && this.#stillWaiting().length === 0)
    for (const actor of this.#actors.values()) if (!actor.process.isDead) actor.close(closeTimeoutMs)
    await this.#pass(closePatienceMs, () => this.#stillWaiting().length === 0)
    for (const what of this.#stillWaiting()) this.#recorder.add({ kind: 'never-ended', what })
    this.#recorder.add({ kind: 'end', contents: this.#machine.lookAgain() })
  }

  /** Lets time go by, also when nothing but looks from time to time is left to do. */
  async #pass(ms: number, isDone?: () => boolean): Promise<void> {
    const untilMs = this.#scheduler.nowMs + ms
    const end = this.#scheduler.at(untilMs, () => undefined)
    await this.#scheduler.run(untilMs, isDone)
    end.cancel()
  }

  /** Nothing is in the outbox, and nothing waits. */
  get #isFinished(): boolean {
    return this.#contents?.segments === 0 && this.#contents.kept.every(({ state }) => state === 'dead')
  }

  #stillWaiting(): string[] {
    return [...this.#recorder.waiting.values()]
      .filter(({ process }) => this.#everyActor[process]?.process.isDead === false)
      .map(({ what, process }) => `${what} of process ${process}`)
  }

  #act(step: EffectsStep): void {
    try {
      this.#do(step)
    } catch (error) {
      this.#recorder.add({
        kind: 'crashed',
        error: error instanceof Error ? (error.stack ?? '') : String(error),
      })
    }
  }

  #do(action: EffectsAction): void {
    switch (action.kind) {
      case 'open':
        return this.#open(action)
      case 'lose-power':
        this.#faults.happened('power-lost')
        for (const { process } of this.#everyActor) process.kill()
        return this.#machine.losePower()
      case 'stop':
      case 'kill':
      case 'jump-clock': {
        const process = this.#actors.get(action.process)?.process
        if (process && !process.isDead) harm(process, action, this.#faults)
        return
      }
      case 'target':
        if (action.mode === 'down' && action.forMs >= hourMs) this.#faults.happened('down-for-an-hour')
        return this.#parts.target.be(action.mode, action.forMs)
      default:
        return this.#call(action)
    }
  }

  #open(opening: EffectsOpening): void {
    const current = this.#actors.get(opening.process)
    // One engine at a time; one that was closed or has stopped is followed by another.
    if (current && !current.isOver && !current.process.isDead) return
    const index = this.#everyActor.length
    const process = new SimulatedProcess(`p${index}`, this.#scheduler, this.#random.below(2 ** 31))
    const actor = new EffectsActor(index, index + 1, process, this.#parts)
    this.#actors.set(opening.process, actor)
    this.#openings.set(opening.process, opening)
    this.#everyActor.push(actor)
    process.onDeath(() => this.#recorder.add({ kind: 'died', process: index }))
    const store = new FaultyStore(this.#machine.store, {
      process,
      random: this.#random,
      faults: this.#faults,
      lock: this.#lock,
      as: (execute) => {
        // Stays set: what it does goes on when promises are ready, before anybody else has a turn.
        this.#executing = process
        return execute()
      },
      onSync: () => {
        this.#machine.sync()
        this.#recorder.add({ kind: 'synced' })
      },
    })
    actor.open(store, opening)
  }

  #call(action: Call): void {
    const actor = this.#actors.get(action.process)
    if (!actor || actor.process.isDead || actor.isOver) {
      const reopening = this.#program.reopenings[action.process]
      if (reopening) this.#open(reopening)
      return this.#actors.get(action.process)?.whenOpen(() => this.#call(action))
    }
    // A process that stands still makes its calls when it goes on.
    actor.process.run(() => actor.whenOpen(() => this.#callNow(actor, action)))
  }

  #callNow(actor: EffectsActor, action: Call): void {
    if (actor.isOver) return
    switch (action.kind) {
      case 'write':
        return actor.write(action)
      case 'reached': {
        const receipt = this.#actors.get(action.of)?.lastReceipt
        if (receipt) actor.reached(receipt, action)
        return
      }
      case 'redrive':
        return actor.redrive()
      case 'pause':
      case 'resume':
        return actor.setPaused(action.kind === 'pause')
      case 'rest': {
        const opening = this.#openings.get(action.process)
        if (opening) actor.rest(action, opening)
        return
      }
      case 'close':
        return actor.close(action.timeoutMs)
    }
  }
}
