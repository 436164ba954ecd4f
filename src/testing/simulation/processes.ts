/** The processes of a simulated world, and the engines in them: one at a time under each number. */
import type { Store } from '../../index.ts'
import type { WriteLock } from './connection.ts'
import type { Faults } from './faults.ts'
import { FaultyStore } from './faulty-store.ts'
import { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Recorder } from './recorder.ts'
import type { Scheduler } from './scheduler.ts'

/** An engine, and what is done with it. */
interface Inhabitant {
  readonly process: SimulatedProcess
  /** It was closed, or has stopped. */
  readonly isOver: boolean
  whenOpen(call: () => void): void
}

interface World {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly faults: Faults
  readonly waiting: Recorder['waiting']
  readonly onDeath: (index: number) => void
}

export class Processes<A extends Inhabitant> {
  /** All that there ever were. */
  readonly every: A[] = []
  readonly lock: WriteLock = { holder: undefined }
  readonly #world: World
  /** By the number of the process; a process that was killed is replaced by one that is started anew. */
  readonly #actors = new Map<number, A>()
  #executing: SimulatedProcess | undefined

  constructor(world: World) {
    this.#world = world
  }

  at(number: number): A | undefined {
    return this.#actors.get(number)
  }

  /** The last under each number, unless it is dead. */
  get living(): A[] {
    return [...this.#actors.values()].filter(({ process }) => !process.isDead)
  }

  /** Unless one is open there: one that was closed or has stopped is followed by another. */
  start(
    number: number,
    { store, onSync }: { readonly store: Store; readonly onSync: () => void },
    make: (index: number, process: SimulatedProcess) => A,
    open: (actor: A, store: FaultyStore) => void,
  ): void {
    const current = this.#actors.get(number)
    if (current && !current.isOver && !current.process.isDead) return
    const { scheduler, random, faults, onDeath } = this.#world
    const index = this.every.length
    const process = new SimulatedProcess(`p${index}`, scheduler, random.below(2 ** 31))
    const actor = make(index, process)
    this.#actors.set(number, actor)
    this.every.push(actor)
    process.onDeath(() => onDeath(index))
    const as = <T>(execute: () => T): T => {
      // Stays set: what it does goes on when promises are ready, before anybody else has a turn.
      this.#executing = process
      return execute()
    }
    open(actor, new FaultyStore(store, { process, random, faults, lock: this.lock, as, onSync }))
  }

  /** @param reopen opens one where none is open any more */
  call(number: number, reopen: () => void, callNow: (actor: A) => void): void {
    const actor = this.#actors.get(number)
    if (!actor || actor.process.isDead || actor.isOver) {
      reopen()
      return this.#actors.get(number)?.whenOpen(() => this.call(number, reopen, callNow))
    }
    // A process that stands still makes its calls when it goes on.
    actor.process.run(() => actor.whenOpen(() => callNow(actor)))
  }

  /** The one that does something to the database now. */
  killExecuting(): void {
    this.#executing?.kill()
  }

  /** What was called and has not ended, of those that live. */
  stillWaiting(): string[] {
    return [...this.#world.waiting.values()]
      .filter(({ process }) => this.every[process]?.process.isDead === false)
      .map(({ what, process }) => `${what} of process ${process}`)
  }
}

/** Takes the steps of a program at their times, and lets the time pass that they take. */
export async function runSteps<S extends { readonly afterMs: number }>(
  scheduler: Scheduler,
  steps: readonly S[],
  act: (step: S) => void,
  onCrash: (error: string) => void,
): Promise<void> {
  let atMs = 0
  for (const step of steps) {
    atMs += step.afterMs
    scheduler.at(atMs, () => {
      try {
        act(step)
      } catch (error) {
        onCrash(error instanceof Error ? (error.stack ?? '') : String(error))
      }
    })
  }
  await scheduler.run(atMs)
}
