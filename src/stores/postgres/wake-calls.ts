/**
 * Processes on one database that tell each other: "somebody waits for this position", and "it is committed"; "somebody
 * does effects of this kind", and "some are committed".
 *
 * Keeps: no law hangs on it: whoever waits looks all the same, so a call may be lost (with a connection, or by a pooler
 * in between) and costs a pause at most. Law 7: a bounded list of those who want something.
 *
 *   reader                                    writer
 *   waits for 7 of epoch 3 ── want 3 7 ─────▶ commits what lingers
 *   looks                  ◀──── at 3 9 ───── has committed 9
 *   does embed ────── does 4 3000 embed ────▶ knows it for 3,000 ms
 *   looks                  ◀── some 3 embed ─ has committed some
 *
 * While nobody waits nothing is sent: NOTIFY takes a lock of the whole database when it commits, and never belongs
 * into the transaction of a batch.
 */
import type { Segment } from '../../contracts/effect.ts'
import type { Epoch, Mark, Seq } from '../../contracts/position.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Wait } from '../../contracts/wait.ts'
import type { Connection } from './connection.ts'
import type { Side } from './side.ts'

/** Positions that others want; those who come later look on their own. */
const maxWanted = 1_000
/** Kinds that others do; those beyond are looked for. */
const maxKinds = 1_000

interface Waiting {
  readonly marks: readonly Mark[]
  readonly called: PromiseWithResolvers<void>
}

export interface WakeCallsContext {
  readonly database: string
  readonly epoch: Epoch
  readonly side: Side
  readonly runtime: Runtime
  readonly onWanted: (seq: Seq) => void
  readonly onEffects: (kind: string) => void
}

export class WakeCalls {
  readonly #context: WakeCallsContext
  readonly #channel: string
  readonly #waiting = new Set<Waiting>()
  /** Of this writer, what others want and is not committed. */
  #wanted: Seq[] = []
  #watermark = 0 as Seq
  /** Kinds of effects that others do, and until when that is known. */
  readonly #doneElsewhere = new Map<string, number>()
  /** To be sent together, once what is on its way has gone. */
  #messages = new Set<string>()
  #isSending = false

  constructor(context: WakeCallsContext) {
    this.#context = context
    this.#channel = `tidemark_${context.database}`
  }

  /** Hears on this connection what others call. */
  hearOn(connection: Connection): void {
    connection.onNotification((message) => this.#hear(message))
    connection.query({ sql: `LISTEN ${this.#channel}` }).catch(() => undefined)
  }

  /** Calls those who write these positions, and hears their answer. */
  call(marks: readonly Mark[]): Wait {
    const waiting: Waiting = { marks, called: Promise.withResolvers() }
    for (const { epoch, seq } of marks) if (!this.#isAskedFor(epoch, seq)) this.#send(`want ${epoch} ${seq}`)
    this.#waiting.add(waiting)
    return {
      done: waiting.called.promise.finally(() => this.#waiting.delete(waiting)),
      cancel: () => void this.#waiting.delete(waiting),
    }
  }

  /** Runs for every batch: costs a comparison while nobody wants anything. */
  committed(watermark: Seq): void {
    this.#watermark = watermark
    if (this.#wanted.length === 0) return
    const left = this.#wanted.filter((seq) => seq > watermark)
    if (left.length === this.#wanted.length) return
    this.#wanted = left
    this.#tell()
  }

  hear(kind: string, forMs: number): void {
    this.#send(`does ${this.#context.epoch} ${Math.ceil(forMs)} ${kind}`)
  }

  /** Runs for every batch: costs a comparison while nobody else does effects. */
  committedEffects(segments: readonly Segment[]): void {
    if (this.#doneElsewhere.size === 0) return
    const nowMs = this.#context.runtime.monotonicMs()
    for (const { kind } of segments) {
      const untilMs = this.#doneElsewhere.get(kind)
      if (untilMs === undefined) continue
      if (untilMs < nowMs) this.#doneElsewhere.delete(kind)
      else this.#send(`some ${this.#context.epoch} ${kind}`)
    }
  }

  #isAskedFor(epoch: Epoch, seq: Seq): boolean {
    for (const { marks } of this.#waiting)
      if (marks.some((mark) => mark.epoch === epoch && mark.seq === seq)) return true
    return false
  }

  #hear(message: string): void {
    const [verb, epoch, seq, ...rest] = message.split(' ')
    const isOwn = Number(epoch) === this.#context.epoch
    if (verb === 'want' && isOwn) this.#want(Number(seq) as Seq)
    // A kind may have spaces in it.
    if (verb === 'does' && !isOwn) this.#noteDone(rest.join(' '), Number(seq))
    if (verb === 'some' && !isOwn) this.#context.onEffects([seq, ...rest].join(' '))
    if (verb !== 'at') return
    for (const { marks, called } of this.#waiting)
      if (marks.some((mark) => mark.epoch === Number(epoch) && mark.seq <= Number(seq))) called.resolve()
  }

  #want(seq: Seq): void {
    if (seq <= this.#watermark) return this.#tell()
    if (!(seq > 0) || this.#wanted.length >= maxWanted) return
    this.#wanted.push(seq)
    this.#context.onWanted(seq)
  }

  #noteDone(kind: string, forMs: number): void {
    if (!(forMs > 0) || (this.#doneElsewhere.size >= maxKinds && !this.#doneElsewhere.has(kind))) return
    this.#doneElsewhere.set(kind, this.#context.runtime.monotonicMs() + forMs)
  }

  #tell(): void {
    this.#send(`at ${this.#context.epoch} ${this.#watermark}`)
  }

  #send(message: string): void {
    this.#messages.add(message)
    if (!this.#isSending) void this.#sendAll()
  }

  /** What could not be sent is not sent again: those who wait look. */
  async #sendAll(): Promise<void> {
    this.#isSending = true
    while (this.#messages.size > 0) {
      const texts = [...this.#messages]
      this.#messages.clear()
      const calls = texts.map(() => `pg_notify('${this.#channel}', ?)`).join(', ')
      await this.#context.side.run((session) => session.own(`SELECT ${calls}`, texts)).catch(() => undefined)
    }
    this.#isSending = false
  }
}
