/** Sessions at random, as the seed has it; what they meet is up to the machine. */
import { Random } from '../../src/testing/simulation/random.ts'
import { setImmediate as turnOfTheLoop, setTimeout as delay } from 'node:timers/promises'
import type { Session } from '../../src/session.ts'
import type { Tidemark } from '../../src/tidemark.ts'
import { sessionOf } from './history.ts'
import type { Caller, Recorder } from './recorder.ts'
import { keys, levels, type FromChild, type Job, type Parcel, type Tables, type ToChild } from './workload.ts'

const patientMs = 20_000

/** The two processes of the opening, by which every history has a read that waits for another process. */
const [writer, reader] = [0, 1]

/** A session as its steps go on. */
interface Running {
  readonly name: string
  readonly session: Session<Tables>
  readonly caller: Caller
}

export class Sessions {
  readonly #db: Tidemark<Tables>
  readonly #engine: Caller
  readonly #job: Job
  readonly #recorder: Recorder
  readonly #say: (message: FromChild) => void
  readonly #dice: Random
  readonly #inbox: Parcel[] = []
  readonly #isReady = Promise.withResolvers<void>()
  readonly #isWaiting = Promise.withResolvers<void>()
  readonly #firstParcel = Promise.withResolvers<Parcel>()
  #names = 0
  #stays = 0

  constructor(db: Tidemark<Tables>, job: Job, recorder: Recorder, say: (message: FromChild) => void) {
    this.#db = db
    this.#engine = { client: db, session: undefined }
    this.#job = job
    this.#recorder = recorder
    this.#say = say
    this.#dice = new Random(job.seed)
  }

  hear(message: ToChild): void {
    if (message.kind === 'ready') this.#isReady.resolve()
    if (message.kind === 'waiting') this.#isWaiting.resolve()
    if (message.kind !== 'bookmark') return
    this.#inbox.push(message)
    if (message.from === writer) this.#firstParcel.resolve(message)
  }

  async run(): Promise<void> {
    if (this.#job.process === writer) await this.#openingWrites()
    if (this.#job.process === reader) await this.#openingReads()
    await Promise.all(Array.from({ length: this.#job.sessions }, () => this.#runSession()))
  }

  /** A write that certainly is pending: whoever reads at its bookmark elsewhere has to wait for it. */
  async #openingWrites(): Promise<void> {
    await this.#isReady.promise
    // What is accepted now is committed behind this transaction.
    const holdUp = this.#db.transaction(() => this.#isWaiting.promise)
    const opened = this.#open()
    const written = this.#recorder.write(opened.caller, this.#db.epoch, this.#dice.pick(keys), false)
    this.#send(opened, reader, false)
    await holdUp
    await written?.receipt
  }

  async #openingReads(): Promise<void> {
    this.#say({ kind: 'ready', to: writer })
    const parcel = await this.#firstParcel.promise
    const opened = this.#open()
    this.#given(opened, parcel)
    const read = this.#recorder.read(opened.caller, 'readAfterWrite', patientMs)
    // One thread answers all reads here, in their order: behind this one, the first has asked and must wait.
    await turnOfTheLoop()
    await this.#recorder.read(this.#engine, 'eventual', patientMs)
    this.#say({ kind: 'waiting', to: writer })
    await read
  }

  async #runSession(): Promise<void> {
    let running: Running | undefined
    for (let step = 0; step < this.#job.steps; step++) {
      running ??= this.#take() ?? this.#open()
      if (!(await this.#step(running))) running = undefined
      // Other sessions, and what other processes sent, have their turn.
      await delay(this.#dice.pick([0, 0, 0, 1, 2]))
    }
    if (!running) return
    await this.#db.flush()
    this.#recorder.list(running.session, running.name)
  }

  /** @returns whether the session goes on here */
  async #step(running: Running): Promise<boolean> {
    const { session, name } = running
    const dice = this.#dice
    const action = dice.below(100)
    if (action < 36) return this.#write(running)
    if (action < 58) return this.#read(running)
    if (action < 76) return this.#get(running)
    if (action < 82) {
      return this.#passOn(running, 0)
    } else if (action < 90) {
      for (let count = 1 + dice.below(3); count > 0; count--) this.#include(running)
      // It passes on what it has not waited for itself.
      if (dice.chance(0.3)) return this.#passOn(running, 0.3)
      if (dice.chance(0.4)) return await this.#catchUp(running)
    } else if (action < 93) {
      this.#recorder.list(session, name)
    } else if (action < 96) {
      return this.#passOn(running, 1)
    } else {
      // Of the engine itself: all that it had accepted, or what it was given.
      const parcel = this.#inbox.at(-1)
      const after = parcel && dice.chance(0.5) ? [parcel] : []
      await this.#recorder.read(
        this.#engine,
        dice.pick(['readAfterWrite', 'strong']),
        this.#patience(),
        after,
      )
    }
    return true
  }

  async #get(running: Running): Promise<boolean> {
    const dice = this.#dice
    if (dice.chance(0.2)) {
      await this.#recorder.get(this.#engine, dice.pick(keys))
      return true
    }
    const isPending = await this.#recorder.get(running.caller, dice.pick(keys))
    // What it has seen is not committed yet: whoever goes on from here has to wait for it.
    return !isPending || dice.chance(0.5) || this.#passOn(running, 0.5)
  }

  /** To another process: for others there, or the session itself. */
  #passOn(running: Running, shareOfMoves: number): boolean {
    const moves = this.#dice.chance(shareOfMoves)
    this.#send(running, this.#dice.pick(this.#job.others), moves)
    return !moves
  }

  async #write(running: Running): Promise<boolean> {
    const { caller, name } = running
    const dice = this.#dice
    const key = dice.chance(0.75) ? dice.pick(keys) : undefined
    const isPoison = dice.chance(0.08)
    const written = this.#recorder.write(caller, this.#db.epoch, key, isPoison)
    if (!written) return await this.#catchUp(running)
    const { write, receipt } = written
    if (dice.chance(0.15)) {
      const parcel = this.#recorder.takeOf(name, write, receipt)
      this.#sendParcel(dice.pick(this.#job.others), parcel)
    }
    if (dice.chance(0.15)) await this.#recorder.awaitOutcome(caller, write, receipt)
    return true
  }

  async #read({ caller }: Running): Promise<boolean> {
    const level = this.#dice.pick(levels)
    const parcel = this.#dice.chance(0.2) && level !== 'eventual' ? this.#inbox.at(-1) : undefined
    const after = parcel ? [parcel] : []
    const error = await this.#recorder.read(caller, level, this.#patience(), after, this.#dice.chance(0.4))
    if (error !== 'POSITION_LOST') return true
    // It stays lost, however often it is asked for; then the session is given up, as its user would.
    await this.#recorder.read(caller, 'readAfterWrite', patientMs)
    return false
  }

  async #catchUp({ session, name }: Running): Promise<boolean> {
    const error = await this.#recorder.catchUp(session, name, this.#patience())
    return error !== 'POSITION_LOST'
  }

  /** Some are in a hurry: they are told stale, or are lucky. */
  #patience(): number {
    return this.#dice.chance(0.2) ? this.#dice.below(3) : patientMs
  }

  #open(of = `${this.#job.process}.${++this.#names}`): Running {
    const name = `${of}/${this.#job.process}-${++this.#stays}`
    const ignoresRejections = this.#dice.chance(0.15)
    const session = this.#db.session([], { onRejected: ignoresRejections ? 'ignore' : 'fail' })
    this.#recorder.tell({ kind: 'session', session: name, ignoresRejections })
    return { name, session, caller: { client: session, session: name } }
  }

  /** Goes on with a session that was sent here. */
  #take(): Running | undefined {
    const at = this.#inbox.findIndex(({ session }) => session !== undefined)
    if (at < 0) return undefined
    const [parcel] = this.#inbox.splice(at, 1)
    const running = this.#open(parcel?.session)
    if (parcel) this.#given(running, parcel)
    return running
  }

  #include(running: Running): void {
    const at = this.#inbox.findLastIndex(({ session }) => session === undefined)
    const parcel = this.#inbox[at]
    if (parcel) this.#given(running, parcel)
    // Not the same one again and again.
    if (parcel && this.#dice.chance(0.7)) this.#inbox.splice(at, 1)
  }

  #given({ session, name }: Running, parcel: Parcel): void {
    const from = this.#recorder.now()
    session.include(parcel.bookmark)
    this.#recorder.tell({ kind: 'included', session: name, bookmark: parcel.name }, from)
  }

  #send({ session, name }: Running, to: number, moves: boolean): void {
    const parcel = this.#recorder.take(session, name)
    this.#sendParcel(to, { ...parcel, ...(moves ? { session: sessionOf(name) as string } : {}) })
  }

  #sendParcel(to: number, parcel: Pick<Parcel, 'name' | 'bookmark' | 'session'>): void {
    this.#say({ kind: 'bookmark', from: this.#job.process, to, ...parcel })
  }
}
