/** One simulated process with the engine that is open in it: makes its calls and writes down what it is told. */
import type { Receipt } from '../../index.ts'
import { openWith } from '../../tidemark.ts'
import type { Store } from '../../contracts/store.ts'
import { FakeProcessor } from '../fake-processor.ts'
import type { Ending, EngineId } from './history.ts'
import type { SimulatedProcess } from './process.ts'
import type { ActionOf, Write, WriteId } from './program.ts'
import { endingOf, failed, type Recorder } from './recorder.ts'
import { accept, transact, type Engine, type Lane, type Tables, type Transaction } from './write.ts'

const transactionTimeoutMs = 30

interface Unsettled {
  readonly write: WriteId
  readonly receipt: Receipt
  /** Its end was asked for. */
  isAsked: boolean
}

export class Actor {
  readonly index: number
  readonly process: SimulatedProcess
  readonly engine: EngineId
  readonly recorder: Recorder
  db: Engine | undefined
  /** Nothing more is accepted: it has stopped, is being closed, or could not be opened. */
  isOver = false
  #isClosing = false
  lastReceipt: { readonly receipt: Receipt; readonly write: WriteId } | undefined
  /** Letters that it was told of. */
  readonly letters: number[] = []
  readonly #processor = new FakeProcessor('embedder')
  #unsettled: Unsettled[] = []
  /** The last position that is known to be given. */
  #last = 0
  #redriving = 0
  /** Calls that wait for the engine to be open. */
  #calls: (() => void)[] = []

  constructor(index: number, engine: EngineId, process: SimulatedProcess, recorder: Recorder) {
    this.index = index
    this.engine = engine
    this.process = process
    this.recorder = recorder
  }

  open(store: Store, { writer, options, subscribes }: ActionOf<'open'>): void {
    this.recorder.add({ kind: 'opening', process: this.index, writer })
    this.recorder.call(
      this.index,
      'open',
      () => openWith<Tables>(this.process, store, { ...options, writer }),
      (_, ending, db) => {
        if (!db) {
          this.isOver = true
          return this.recorder.add({ kind: 'open-failed', process: this.index, ending })
        }
        this.db = db
        const { index: process, engine } = this
        const { maxOperations = 10_000, whenFull } = options.queue ?? {}
        const limit = whenFull === 'wait' ? 2 * maxOperations : maxOperations
        const opened = { engine, process, writer, epoch: db.epoch, subscribes, limit, maxOperations }
        this.recorder.add({ kind: 'opened', ...opened })
        this.#listen(db)
        if (subscribes) void this.#subscribe(db)
        db.follow(this.#processor)
        for (const call of this.#calls.splice(0)) call()
      },
    )
  }

  /** Nothing becomes of the call if it cannot be opened. */
  whenOpen(call: () => void): void {
    if (this.db) call()
    else this.#calls.push(call)
  }

  #listen(db: Engine): void {
    const { engine, recorder } = this
    db.on('commit', () => this.askSettled())
    db.on('reject', ({ position, storeCode }) =>
      recorder.add({ kind: 'told-rejected', engine, seq: position.seq, code: storeCode }),
    )
    db.on('backpressure', ({ operations, isFull }) =>
      recorder.add({ kind: 'room', engine, queued: operations, isFull }),
    )
    db.on('alert', ({ kind }) => {
      if (kind !== 'stopped') return
      this.isOver = true
      // Whatever is written now is refused with the reason.
      try {
        db.insert('log', { write: 1 })
      } catch (error) {
        const { code } = failed(error)
        if (code !== undefined) recorder.add({ kind: 'told-stopped', engine, code })
      }
      this.process.scheduler.after(0, () => this.askSettled())
    })
  }

  async #subscribe(db: Engine): Promise<void> {
    const { engine, recorder } = this
    try {
      for await (const change of db.changes({ when: 'committed' })) {
        if (change.kind === 'gap') recorder.add({ kind: 'crashed', error: 'a gap in the changes' })
        else recorder.add({ kind: 'told-change', engine, seq: change.position.seq })
      }
    } catch {
      // The engine has stopped: it says so by its events too.
    }
  }

  /** Asks those receipts for their end that have one: asking the others would end their linger. */
  askSettled(): void {
    if (this.process.isDead) return
    this.#unsettled = this.#unsettled.filter(({ isAsked }) => !isAsked)
    for (const unsettled of this.#unsettled) {
      if (unsettled.receipt.state !== 'pending') this.#ask(unsettled)
    }
  }

  /** Everything must have an end now. */
  askAll(): void {
    if (this.process.isDead) return
    for (const unsettled of this.#unsettled) if (!unsettled.isAsked) this.#ask(unsettled)
  }

  #ask(unsettled: Unsettled): void {
    const { engine, recorder } = this
    const { write, receipt } = unsettled
    if (unsettled.isAsked) return
    unsettled.isAsked = true
    recorder.operations--
    recorder.call(
      this.index,
      `the outcome of write ${write}`,
      () => receipt.outcome(),
      (_, ending, outcome) => {
        const settled = outcome ? endingOf(outcome) : ending
        if (settled.deadLetter !== undefined) this.letters.push(settled.deadLetter)
        recorder.add({ kind: 'settled', engine, write, ending: settled })
      },
    )
  }

  write(
    lane: Lane,
    {
      write: what,
      session,
      awaits,
      worksMs,
    }: Pick<ActionOf<'write'>, 'write' | 'session' | 'awaits' | 'worksMs'>,
    write: WriteId,
  ): void {
    if (what.kind === 'transaction') return this.#transact(lane, what, session, write)
    const made = this.#accepted(what, session, write, () => accept(lane, what, write))
    if (!made) return
    if (awaits) this.#ask(made)
    if (worksMs !== undefined && 'key' in what) this.#begin(what.key, write, worksMs)
  }

  #accepted(
    what: Exclude<Write, { kind: 'transaction' }> | { kind: 'result'; key: string; of: WriteId },
    session: string | undefined,
    write: WriteId,
    call: () => Receipt,
  ): Unsettled | undefined {
    const { engine, recorder } = this
    recorder.operations++
    try {
      const receipt = call()
      const last = receipt.position.seq
      const first = last - (what.kind === 'load' ? Math.max(1, what.bad.length + what.letters) : 1) + 1
      this.#last = last
      const queued = (this.db as Engine).stats().queued.operations
      recorder.add({ kind: 'accepted', engine, write, what, first, last, session, queued })
      const unsettled: Unsettled = { write, receipt, isAsked: false }
      this.#unsettled.push(unsettled)
      this.lastReceipt = { receipt, write }
      return unsettled
    } catch (error) {
      recorder.add({ kind: 'refused', engine, write, ending: failed(error) })
      return undefined
    }
  }

  #transact(
    lane: Lane,
    what: Write & { kind: 'transaction' },
    session: string | undefined,
    write: WriteId,
  ): void {
    // Its position is told to nobody: it is the next, unless a redrive may come in between.
    if (this.#redriving > 0 || this.isOver) return
    const { engine, recorder } = this
    let hasRun = false
    const refusal = refusalOf(lane)
    if (refusal) return recorder.add({ kind: 'refused', engine, write, ending: refusal })
    recorder.call(
      this.index,
      `transaction ${write}`,
      () => {
        const work = (transaction: Transaction): Promise<void> => {
          if (hasRun) recorder.add({ kind: 'crashed', error: `transaction ${write} was run twice` })
          hasRun = true
          return transact(transaction, what, write)
        }
        const done = lane.transaction(work, { timeoutMs: transactionTimeoutMs })
        const seq = ++this.#last
        const queued = (this.db as Engine).stats().queued.operations
        recorder.add({ kind: 'accepted', engine, write, what, first: seq, last: seq, session, queued })
        return done
      },
      (_, ending) => recorder.add({ kind: 'settled', engine, write, ending }),
    )
  }

  /** A processor has work for the row, and writes what comes of it. */
  #begin(key: string, of: WriteId, worksMs: number): void {
    this.#processor.begin('cells', { key })
    this.recorder.add({ kind: 'work', engine: this.engine, key, write: of })
    const finish = (): void => {
      const db = this.db as Engine
      const what = { kind: 'result', key, of } as const
      const made = this.isOver
        ? undefined
        : this.#accepted(what, undefined, -of, () => db.upsert('results', { key, of }))
      if (made) this.#processor.finish('cells', { key })
      else if (this.isOver) this.#giveUp(key)
      else this.process.after(2, finish)
    }
    this.process.after(worksMs, finish)
  }

  /** All work for a row fails at once. */
  #giveUp(key: string): void {
    if (this.#processor.pending('cells', { key }))
      this.#processor.fail('cells', { key }, new Error('the engine has stopped'))
  }

  redrive(write: WriteId): void {
    const { engine, recorder } = this
    const letter = this.letters.at(-1)
    if (letter === undefined || this.#redriving > 0 || this.isOver) return
    this.#redriving++
    recorder.add({ kind: 'redrive', engine, write, letter })
    recorder.call(
      this.index,
      `redrive ${write}`,
      () => (this.db as Engine).redrive([letter]),
      (_, ending, outcomes) => {
        this.#redriving--
        const outcome = outcomes?.[0]?.outcome
        const told = outcome ? endingOf(outcome) : ending
        this.#last = Math.max(this.#last, outcome && told.seq !== undefined ? told.seq : 0)
        if (told.kind === 'committed') this.letters.pop()
        recorder.add({ kind: 'redriven', engine, write, ending: told })
      },
    )
  }

  flush(durable: boolean): void {
    const { engine, recorder } = this
    recorder.call(
      this.index,
      'flush',
      (call) => {
        recorder.add({ kind: 'flush', call, engine, durable })
        return (this.db as Engine).flush({ durable })
      },
      (call, ending) => recorder.add({ kind: 'flushed', call, ending }),
    )
  }

  close(timeoutMs: number): void {
    const { engine, recorder, db } = this
    if (!db || this.#isClosing) return
    this.#isClosing = this.isOver = true
    recorder.add({ kind: 'close', engine, timeoutMs })
    recorder.call(
      this.index,
      'close',
      () => db.close({ timeoutMs }),
      (_, ending: Ending) => {
        recorder.add({ kind: 'closed', engine, ending })
        this.askAll()
      },
    )
  }
}

/** Why a session would refuse a write now: it says so before it finds out that there is nothing in it. */
function refusalOf(lane: Lane): Ending | undefined {
  try {
    lane.atomic(() => undefined)
  } catch (error) {
    const ending = failed(error)
    if (ending.code === 'SESSION_BEHIND') return ending
  }
  return undefined
}
