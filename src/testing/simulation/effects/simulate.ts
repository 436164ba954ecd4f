/**
 * Runs a program in the simulated world of effects, and gives its history. The same program has the same history, to
 * the letter.
 *
 * When the program is over nothing goes wrong any more: whoever stood still goes on, somebody handles effects, and all
 * that was written must be finished. Then every engine is closed.
 */
import { Faults } from '../faults.ts'
import { harm } from '../harm.ts'
import { Machine } from '../machine.ts'
import { Processes, runSteps } from '../processes.ts'
import { Random } from '../random.ts'
import { Recorder } from '../recorder.ts'
import { Scheduler } from '../scheduler.ts'
import { EffectsActor, type EffectsWorldParts } from './actor.ts'
import { Acks } from './answering.ts'
import { countEffectFaults } from './consequences.ts'
import type { EffectsContents, EffectsHappening, EffectsHistory } from './history.ts'
import { effectsSchema } from './look.ts'
import type { EffectsAction, EffectsOpening, EffectsProgram } from './program.ts'
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
  readonly #faults: Faults
  readonly #machine: Machine<EffectsContents>
  readonly #parts: EffectsWorldParts
  readonly #processes: Processes<EffectsActor>
  /** How each process was opened last. */
  readonly #openings = new Map<number, EffectsOpening>()
  #contents: EffectsContents | undefined

  constructor(program: EffectsProgram) {
    this.#program = program
    const random = new Random(program.seed)
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
      onDeath: () => this.#processes.killExecuting(),
    })
    this.#processes = new Processes({
      scheduler: this.#scheduler,
      random,
      faults,
      waiting: recorder.waiting,
      onDeath: (process) => recorder.add({ kind: 'died', process }),
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
    await runSteps(
      this.#scheduler,
      this.#program.steps,
      (step) => this.#act(step),
      (error) => this.#recorder.add({ kind: 'crashed', error }),
    )
    await this.#end()
    this.#machine.close()
  }

  async #end(): Promise<void> {
    this.#faults.end()
    this.#parts.target.recover()
    for (const { process } of this.#processes.every) process.resume()
    this.#recorder.add({ kind: 'peace' })
    await this.#pass(settlingMs)
    // Somebody who handles, whoever is left; and who resumes what was paused.
    const last = { ...this.#program.last, process: this.#program.processes }
    this.#open(last)
    this.#call({ kind: 'resume', process: last.process })
    await this.#pass(settlingMs)
    await this.#pass(
      this.#program.patienceMs,
      () => this.#isFinished && this.#processes.stillWaiting().length === 0,
    )
    for (const actor of this.#processes.living) actor.close(closeTimeoutMs)
    await this.#pass(closePatienceMs, () => this.#processes.stillWaiting().length === 0)
    for (const what of this.#processes.stillWaiting()) this.#recorder.add({ kind: 'never-ended', what })
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

  #act(action: EffectsAction): void {
    switch (action.kind) {
      case 'open':
        return this.#open(action)
      case 'lose-power':
        this.#faults.happened('power-lost')
        for (const { process } of this.#processes.every) process.kill()
        return this.#machine.losePower()
      case 'stop':
      case 'kill':
      case 'jump-clock': {
        const process = this.#processes.at(action.process)?.process
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
    const onSync = (): void => {
      this.#machine.sync()
      this.#recorder.add({ kind: 'synced' })
    }
    this.#processes.start(
      opening.process,
      { store: this.#machine.store, onSync },
      (index, process) => new EffectsActor(index, index + 1, process, this.#parts),
      (actor, store) => {
        this.#openings.set(opening.process, opening)
        actor.open(store, opening)
      },
    )
  }

  #call(action: Call): void {
    const reopening = this.#program.reopenings[action.process]
    this.#processes.call(
      action.process,
      () => reopening && this.#open(reopening),
      (actor) => this.#callNow(actor, action),
    )
  }

  #callNow(actor: EffectsActor, action: Call): void {
    if (actor.isOver) return
    switch (action.kind) {
      case 'write':
        return actor.write(action)
      case 'reached': {
        const receipt = this.#processes.at(action.of)?.lastReceipt
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
