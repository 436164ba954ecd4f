/** Records a history: four processes on one new database, perhaps one of them killed, then what they left there. */
import { Random } from '../../src/testing/simulation/random.ts'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { OpenOptions } from '../../src/index.ts'
import { readEvents, type History, type HistoryEvent } from './history.ts'
import type { Place } from './place.ts'
import type { Pool, Worker } from './pool.ts'
import type { FromChild } from './workload.ts'

const processes = 4

/** How a killed process's epoch ends: its writer's name is taken by a new engine; or it is silent beyond its lease. */
export type Ending = 'reopened' | 'lease'

/** @param folder for the events, with none in it */
export async function record(
  pool: Pool,
  place: Place,
  folder: string,
  seed: number,
  ending?: Ending,
): Promise<History> {
  const recorder = new HistoryRecorder(pool, place, folder, seed)
  await recorder.run(ending)
  return await recorder.read()
}

interface Part {
  readonly process: number
  readonly worker: Worker
  readonly options: OpenOptions
  readonly ended: PromiseWithResolvers<void>
  epoch: number
}

class HistoryRecorder {
  readonly #place: Place
  readonly #folder: string
  readonly #seed: number
  readonly #dice: Random
  readonly #pool: Pool
  readonly #originNs = process.hrtime.bigint()
  readonly #parts = new Map<number, Part>()
  readonly #killed = Promise.withResolvers<Part | undefined>()
  readonly #opening = Promise.withResolvers<void>()
  #victim: number | undefined
  /** So many bookmarks of the victim pass before it is killed. */
  #bookmarksLeft = 0

  constructor(pool: Pool, place: Place, folder: string, seed: number) {
    this.#place = place
    this.#folder = folder
    this.#seed = seed
    this.#dice = new Random(seed)
    this.#pool = pool
  }

  async run(ending: Ending | undefined): Promise<void> {
    if (ending) {
      this.#victim = this.#dice.below(processes)
      this.#bookmarksLeft = 2 + this.#dice.below(6)
    }
    const workers = await this.#pool.take(processes)
    const parts = workers.map((worker, number) => this.#start(number, worker, this.#options(number)))
    const lives = ending ? this.#endKilled(ending) : Promise.resolve()
    await Promise.all([...parts.map(({ ended }) => ended.promise), lives])
    for (const { process, worker } of this.#parts.values())
      if (process !== this.#victim) this.#pool.giveBack(worker)
  }

  async read(): Promise<History> {
    const events: HistoryEvent[] = []
    for (const number of this.#parts.keys()) {
      const file = this.#eventsOf(number)
      if (existsSync(file)) events.push(...readEvents(file))
    }
    return { events: events.toSorted((a, b) => a.from - b.from), final: await this.#place.readFinal() }
  }

  #options(number: number): OpenOptions {
    const dice = this.#dice
    return {
      writer: `process-${number}`,
      batch: {
        lingerMs: dice.below(51),
        maxOperations: 1 + dice.below(20),
        minIntervalMs: dice.pick([0, 0, 0, 5]),
      },
    }
  }

  #start(process: number, worker: Worker, options: OpenOptions): Part {
    const part: Part = { process, worker, options, ended: Promise.withResolvers(), epoch: 0 }
    this.#parts.set(process, part)

    worker.listen((message) => this.#hear(part, message))
    void worker.gone.then((how) => {
      if (process !== this.#victim) part.ended.reject(new Error(`process ${process} ended: ${how}`))
    })
    const others = Array.from({ length: processes }, (_, number) => number).filter(
      (other) => other !== process,
    )
    worker.tell({
      kind: 'run',
      address: this.#place.address,
      events: this.#eventsOf(process),
      process,
      others,
      seed: this.#seed * 10 + process,
      originNs: String(this.#originNs),
      options,
      sessions: 3,
      steps: 14,
    })
    return part
  }

  #hear(part: Part, message: FromChild): void {
    switch (message.kind) {
      case 'opened':
        part.epoch = message.epoch
        return
      case 'waiting':
        this.#opening.resolve()
        return this.#parts.get(message.to)?.worker.tell(message)
      case 'ready':
        return this.#parts.get(message.to)?.worker.tell(message)
      case 'bookmark':
        this.#parts.get(message.to)?.worker.tell(message)
        if (part.process === this.#victim && --this.#bookmarksLeft === 0) void this.#kill(part)
        return
      case 'done':
        // It may have been done before its time had come.
        if (part.process === this.#victim && this.#bookmarksLeft > 0) this.#spare()
        return part.ended.resolve()
      case 'failed':
        return part.ended.reject(new Error(`process ${part.process}: ${message.error}`))
      case 'idle':
        return undefined
    }
  }

  #spare(): void {
    this.#victim = undefined
    this.#killed.resolve(undefined)
  }

  async #kill(part: Part): Promise<void> {
    await part.worker.kill()
    this.#killed.resolve(part)
    part.ended.resolve()
  }

  /** Whoever waits for the killed process's writes is told that they are lost only when its epoch is ended. */
  async #endKilled(ending: Ending): Promise<void> {
    const victim = await this.#killed.promise
    // Until then one of them holds the lock, and this thread, which waits for it, would not pass on what ends that.
    await this.#opening.promise
    if (!victim) return
    if (ending === 'reopened') {
      const [worker] = await this.#pool.take(1)
      if (worker) await this.#start(processes, worker, victim.options).ended.promise
    } else await this.#place.change(`UPDATE tidemark_writers SET lease_ms = 30 WHERE epoch = ${victim.epoch}`)
  }

  #eventsOf(process: number): string {
    return path.join(this.#folder, `events-${process}.jsonl`)
  }
}
