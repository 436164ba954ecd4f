/**
 * One simulated process with the engine that is open in it: writes effects, handles them, waits for them, and writes
 * down what it is told.
 */
import type { Effect, EffectHandler, HandleOptions, Receipt } from '../../../index.ts'
import { openWith, type Tidemark } from '../../../tidemark.ts'
import type { Store } from '../../../contracts/store.ts'
import type { EngineId } from '../history.ts'
import type { SimulatedProcess } from '../process.ts'
import { failed, type Recorder } from '../recorder.ts'
import { Answering, type Acks } from './answering.ts'
import type { EffectsHappening } from './history.ts'
import type { ActionOf, EffectsOpening } from './program.ts'
import type { SimulatedTarget } from './target.ts'
import { accept, type EffectsTables, type Numbering } from './write.ts'

export const kind = 'embed'

type Engine = Tidemark<EffectsTables>
type Handling = Awaited<ReturnType<Engine['effects']['handle']>>

export interface EffectsWorldParts {
  readonly recorder: Recorder<EffectsHappening>
  readonly target: SimulatedTarget
  readonly numbering: Numbering
  readonly acks: Acks
}

export class EffectsActor {
  readonly index: number
  readonly engine: EngineId
  readonly process: SimulatedProcess
  /** Nothing more is accepted: it has stopped, is being closed, or could not be opened. */
  isOver = false
  lastReceipt: Receipt | undefined
  readonly #world: EffectsWorldParts
  readonly #answering: Answering
  #db: Engine | undefined
  #handling: Handling | undefined
  #isClosing = false
  /** Calls that wait for the engine to be open. */
  #calls: (() => void)[] = []

  constructor(index: number, engine: EngineId, process: SimulatedProcess, world: EffectsWorldParts) {
    this.index = index
    this.engine = engine
    this.process = process
    this.#world = world
    this.#answering = new Answering(engine, process, world)
  }

  open(store: Store, opening: EffectsOpening): void {
    const { recorder } = this.#world
    recorder.call(
      this.index,
      'open',
      () => openWith<EffectsTables>(this.process, store, { ...opening.options, writer: opening.writer }),
      (_, _ending, db) => {
        this.isOver = !db
        if (!db) return
        this.#db = db
        const { index, engine } = this
        recorder.add({ kind: 'opened', engine, process: index, epoch: db.epoch, opening })
        db.on('alert', ({ kind: alert }) => {
          if (alert === 'stopped') this.isOver = true
          recorder.add({ kind: 'told', engine, alert })
        })
        if (opening.handles) this.#handle(db, opening)
        for (const call of this.#calls.splice(0)) call()
      },
    )
  }

  /** Nothing becomes of the call if it cannot be opened. */
  whenOpen(call: () => void): void {
    if (this.#db) call()
    else this.#calls.push(call)
  }

  #handle(db: Engine, opening: EffectsOpening): void {
    const { recorder, acks } = this.#world
    const options: HandleOptions<never> = {
      ...opening.handles,
      onDead: (effect: Effect, _error: unknown, to: never) => acks.write(to, effect, 'dead'),
    }
    const handler: EffectHandler<never> = (effects, { signal }) =>
      this.#answering.answer(effects, signal, opening.obeysSignal)
    recorder.call(
      this.index,
      'handle',
      () => db.effects.handle(kind, handler as never, options as never),
      (_, ending, handling) => {
        this.#handling ??= handling
        // Whoever could not begin tries again: the last handler has not stopped yet, or the database failed.
        if (ending.kind === 'failed' && !this.isOver && !this.#handling)
          this.process.after(20, () => this.#handle(db, opening))
      },
    )
  }

  write({ write }: ActionOf<'write'>): void {
    const { recorder, numbering } = this.#world
    const db = this.#required
    try {
      const { receipt, operations } = accept(db, kind, write, numbering)
      recorder.operations++
      this.lastReceipt = receipt
      recorder.add({ kind: 'written', engine: this.engine, operations })
      // Whoever asks for the outcome ends the linger: only what was refused is told otherwise.
      receipt.outcome().catch(() => undefined)
    } catch (error) {
      recorder.add({ kind: 'refused', engine: this.engine, ending: failed(error) })
    }
  }

  reached(receipt: Receipt, { key, timeoutMs }: ActionOf<'reached'>): void {
    const { recorder } = this.#world
    const { engine } = this
    const { epoch, seq } = receipt.position
    recorder.call(
      this.index,
      'reached',
      (call) => {
        recorder.add({ kind: 'reached', call, engine, epoch, seq, key, timeoutMs })
        const options = { timeoutMs, ...(key !== undefined && { keys: [key] }) }
        return this.#required.effects.reached(kind, receipt.bookmark, options)
      },
      (call, ending) => recorder.add({ kind: 'reached-ended', call, ending }),
    )
  }

  redrive(): void {
    const { effects } = this.#required
    this.#world.recorder.call(
      this.index,
      'redrive',
      async () => await effects.redrive((await effects.deadLetters(kind)).map(({ id }) => id)),
      (_, ending, ids = []) => this.#world.recorder.add({ kind: 'redriven', ids, ending }),
    )
  }

  setPaused(isPaused: boolean): void {
    const { effects } = this.#required
    this.#call(isPaused ? 'pause' : 'resume', () => (isPaused ? effects.pause(kind) : effects.resume(kind)))
  }

  rest({ forMs, timeoutMs, isRedriven }: ActionOf<'rest'>, opening: EffectsOpening): void {
    const handling = this.#handling
    const db = this.#required
    if (!handling) return
    this.#handling = undefined
    this.#call('rest', () => handling.stop({ timeoutMs }))
    this.process.after(forMs, () => {
      if (this.isOver) return
      this.#handle(db, opening)
      if (isRedriven) this.redrive()
    })
  }

  close(timeoutMs: number): void {
    const { recorder } = this.#world
    const { engine } = this
    const db = this.#db
    if (!db || this.#isClosing) return
    this.#isClosing = this.isOver = true
    recorder.add({ kind: 'close', engine })
    recorder.call(
      this.index,
      'close',
      () => db.close({ timeoutMs }),
      () => recorder.add({ kind: 'closed', engine }),
    )
  }

  #call(what: string, start: () => Promise<unknown>): void {
    this.#world.recorder.call(this.index, what, start, () => undefined)
  }

  get #required(): Engine {
    if (!this.#db) throw new Error('the engine is not open yet')
    return this.#db
  }
}
