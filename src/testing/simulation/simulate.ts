/**
 * Runs a program in a simulated world, and gives its history. The same program has the same history, to the letter.
 *
 * When the program is over nothing goes wrong any more: whoever stood still goes on, every engine is closed, and all
 * that was called must end.
 */
import type { Session } from '../../index.ts'
import { Actor } from './actor.ts'
import { countConsequences } from './consequences.ts'
import { Faults } from './faults.ts'
import { harm } from './harm.ts'
import type { Contents, History } from './history.ts'
import { linkedSchema, plainSchema } from './look.ts'
import { Machine } from './machine.ts'
import { Processes, runSteps } from './processes.ts'
import type { Action, ActionOf, Program } from './program.ts'
import { Random } from './random.ts'
import { get, read, type Bookmark } from './read.ts'
import { failed, Recorder } from './recorder.ts'
import { Scheduler } from './scheduler.ts'
import type { Lane, Tables } from './write.ts'

/** So long everything may take once nothing goes wrong any more. */
const patienceMs = 300_000
const closeTimeoutMs = 60_000

export async function simulate(program: Program): Promise<History> {
  const world = new World(program)
  await world.run()
  return world.history
}

type Call = Exclude<
  Action,
  { kind: 'open' | 'stop' | 'kill' | 'jump-clock' | 'back-up' | 'restore' | 'lose-power' }
>

class World {
  readonly #program: Program
  readonly #scheduler = new Scheduler()
  readonly #recorder = new Recorder(this.#scheduler)
  readonly #random: Random
  readonly #faults: Faults
  readonly #machine: Machine<Contents>
  readonly #processes: Processes<Actor>
  readonly #sessions = new Map<string, { readonly session: Session<Tables>; readonly actor: Actor }>()
  #writes = 0
  #bookmarks = 0

  constructor(program: Program) {
    this.#program = program
    this.#random = new Random(program.seed)
    this.#faults = new Faults(program.faults, (fault) => this.#recorder.add({ kind: 'fault', fault }))
    this.#machine = new Machine(program.hasLinks ? linkedSchema : plainSchema, this.#faults, {
      onCommitted: (contents) => this.#recorder.add({ kind: 'committed', contents }),
      onWentBack: (contents, byPowerLoss) => this.#recorder.add({ kind: 'went-back', contents, byPowerLoss }),
      onDeath: () => this.#processes.killExecuting(),
    })
    this.#processes = new Processes({
      scheduler: this.#scheduler,
      random: this.#random,
      faults: this.#faults,
      waiting: this.#recorder.waiting,
      onDeath: (process) => this.#recorder.add({ kind: 'died', process }),
    })
  }

  get history(): History {
    const { events, operations } = this.#recorder
    const faults = new Map(this.#faults.counts)
    countConsequences(events, faults)
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

  /** Nothing goes wrong any more, and everything comes to its end. */
  async #end(): Promise<void> {
    this.#faults.end()
    for (const { process } of this.#processes.every) process.resume()
    await this.#scheduler.run(this.#scheduler.nowMs + 200)
    for (const actor of this.#processes.living) actor.close(closeTimeoutMs)
    const isQuiet = (): boolean => this.#processes.stillWaiting().length === 0
    await this.#scheduler.run(this.#scheduler.nowMs + patienceMs, isQuiet)
    for (const actor of this.#processes.every) actor.askAll()
    await this.#scheduler.run(this.#scheduler.nowMs + patienceMs, isQuiet)
    for (const what of this.#processes.stillWaiting()) this.#recorder.add({ kind: 'never-ended', what })
  }

  #act(action: Action): void {
    switch (action.kind) {
      case 'open':
        return this.#open(action)
      case 'back-up':
        return this.#machine.backUp()
      case 'restore':
        if (this.#processes.lock.holder === undefined && this.#machine.restore())
          this.#faults.happened('history-lost')
        return
      case 'lose-power':
        this.#faults.happened('power-lost')
        for (const { process } of this.#processes.every) process.kill()
        return this.#machine.losePower()
      case 'stop':
      case 'kill':
      case 'jump-clock':
        return this.#harm(action)
      default:
        return this.#call(action)
    }
  }

  #harm(action: ActionOf<'stop' | 'kill' | 'jump-clock'>): void {
    const actor = this.#processes.at(action.process)
    if (!actor || actor.process.isDead) return
    harm(actor.process, action, this.#faults)
  }

  #open(action: ActionOf<'open'>): void {
    this.#processes.start(
      action.process,
      { store: this.#machine.store, onSync: () => this.#machine.sync() },
      (index, process) => new Actor(index, index + 1, process, this.#recorder),
      (actor, store) => actor.open(store, action),
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

  #callNow(actor: Actor, action: Call): void {
    const lane = this.#laneOf(actor, 'session' in action ? action.session : undefined)
    switch (action.kind) {
      case 'write':
        return actor.write(lane, action, ++this.#writes)
      case 'redrive':
        return actor.redrive(++this.#writes)
      case 'read':
        return read(
          actor,
          lane,
          action,
          action.after.flatMap((from) => this.#take(from) ?? []),
        )
      case 'get':
        return get(actor, lane, action)
      case 'flush':
        return actor.flush(action.durable)
      case 'close':
        return actor.close(action.timeoutMs)
      case 'move':
        return this.#move(actor, action.session)
      case 'catch-up':
        return this.#catchUp(actor, action.session)
    }
  }

  #laneOf(actor: Actor, name: string | undefined): Lane {
    if (name === undefined) return actor.db as Lane
    const known = this.#sessions.get(name)
    if (known?.actor !== actor) this.#move(actor, name)
    return this.#sessions.get(name)?.session as Lane
  }

  /** The session goes on here, wherever it was: its bookmark had been handed over in time. */
  #move(actor: Actor, name: string): void {
    const from = this.#take(name)
    const session = actor.db?.session()
    if (!session) return
    this.#recorder.add({ kind: 'session', session: name, engine: actor.engine, from: undefined })
    try {
      if (from) session.include(from.text)
      this.#recorder.add({ kind: 'session', session: name, engine: actor.engine, from: from?.id })
    } catch {
      // The database is another one since: the session begins anew.
    }
    this.#sessions.set(name, { session, actor })
  }

  #catchUp(actor: Actor, name: string): void {
    const lane = this.#laneOf(actor, name) as Session<Tables>
    this.#recorder.call(
      actor.index,
      'catch up',
      (call) => {
        this.#recorder.add({ kind: 'catch-up', call, engine: actor.engine, session: name })
        return lane.caughtUp({ timeoutMs: 50 })
      },
      (call, ending) => this.#recorder.add({ kind: 'caught-up', call, ending }),
    )
  }

  /** The bookmark of a session, or of the last receipt of a process. */
  #take(from: string | number): Bookmark | undefined {
    const id = ++this.#bookmarks
    try {
      if (typeof from === 'string') {
        const known = this.#sessions.get(from)
        if (!known) return undefined
        const text = known.session.bookmark
        this.#recorder.add({ kind: 'took', bookmark: id, session: from, write: undefined })
        return { id, text }
      }
      const last = this.#processes.at(from)?.lastReceipt
      if (!last) return undefined
      this.#recorder.add({ kind: 'took', bookmark: id, session: undefined, write: last.write })
      return { id, text: last.receipt.bookmark }
    } catch (error) {
      this.#recorder.add({ kind: 'crashed', error: String(failed(error).storeCode) })
      return undefined
    }
  }
}
