/**
 * The write engine: accepts operations and answers for them until they are settled.
 *
 * Owns: the way from a call to the queue, and the end (`close`, a stop). The queue holds, the committer sends.
 * Keeps: law 1 (a write that returned has a position; one that threw has queued nothing), law 2 (positions are
 * given in call order), law 4 (a call's rows are never parted: a group or load goes into one batch), law 7
 * (admitted before it is added), law 9 (`close` commits everything, or abandons it at its deadline).
 *
 *   open ──close()──▶ closing ──drained or deadline──▶ closed
 *     └────fatal, fenced, history lost, gave up──────▶ stopped
 */
import type { Group, Load, Run, Shape, StatementShape } from '../contracts/operation.ts'
import type { Epoch, Mark, Position, Seq, WriterName } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { Schema } from '../contracts/schema.ts'
import type { OpenedStore, Tidemark } from '../contracts/store.ts'
import { InvalidOperationError, type EngineStoppedError, type TidemarkError } from '../errors.ts'
import type { EncodedEffect } from '../segments.ts'
import type { PendingBatch } from './batch.ts'
import { Committer } from './committer.ts'
import { Events } from './events.ts'
import { DerivationAlerts } from './derivation-alerts.ts'
import type { Follower } from './follower.ts'
import { collect, Collector, extentOf, groupFrom, type GroupExtent, type Inserted } from './group.ts'
import { noOutbox, tooLarge } from './refusals.ts'
import { IdStocks } from './ids.ts'
import { Operations, type Sink } from './operations.ts'
import type { EngineOptions } from './options.ts'
import { Pacing } from './pacing.ts'
import { Pins } from './pins.ts'
import { PendingIndex } from './pending.ts'
import { Queue } from './queue.ts'
import { IdReceipt, LoadReceipt, Receipt, type ReceiptContext } from './receipt.ts'
import { ShapeBook } from './shapes.ts'
import { Tally } from './tally.ts'
import { TransactionTurn, type TransactionWork } from './transaction-turn.ts'
import { closed, deadlinePassed, historyLost } from './verdicts.ts'
import type { WriteLane } from './write-lane.ts'

/** A full queue is at least so many batches: while some commit, the next ones fill, however small it is. */
const batchesInQueue = 4

export class WriteEngine implements WriteLane, Sink<Receipt>, ReceiptContext {
  readonly events: Events = new Events()
  readonly operations: Operations<Receipt>
  readonly tally: Tally = new Tally()
  readonly pending: PendingIndex
  readonly pins: Pins = new Pins()
  /** Set while somebody wants to hear of every single operation. */
  follower: Follower | undefined
  /** Called when effects of this kind were committed, or some may have been. */
  onEffects: (kind: string) => void = () => undefined
  readonly #writer: WriterName
  readonly #store: OpenedStore
  readonly #runtime: Runtime
  readonly #options: EngineOptions
  readonly #queue: Queue
  readonly #pacing: Pacing
  readonly #committer: Committer
  readonly #toBookmark: (mark: Mark) => string
  readonly #statements = new Map<string, StatementShape>()
  readonly #ids: IdStocks
  #book: ShapeBook
  /** Why nothing more is accepted. */
  #refusal: TidemarkError | undefined
  #isClosing = false
  /** What becomes of effects under way is committed after everybody else is refused. */
  #takesOwn = false

  constructor(
    writer: WriterName,
    store: OpenedStore,
    runtime: Runtime,
    options: EngineOptions,
    toBookmark: (mark: Mark) => string,
  ) {
    this.#writer = writer
    this.#toBookmark = toBookmark
    this.#store = store
    this.#runtime = runtime
    this.#options = options
    this.#ids = new IdStocks(Object.keys(options.ids), options.queue, runtime, {
      reserve: (table, count) => store.reserveIds(table, count),
      onDry: (stock) => this.#queue.beginShortage(stock),
      onStocked: (stock) => this.#queue.endShortage(stock),
      onBrokenChain: (failure) => this.#committer.suspect(failure),
    })
    this.#book = new ShapeBook(store.schema, this.#ids)
    this.pending = new PendingIndex(store.schema)
    const { maxOperations, maxTransactionMs } = options.batch
    const share = Math.ceil(options.queue.maxOperations / batchesInQueue)
    this.#pacing = new Pacing({ maxOperations: Math.min(maxOperations, share), maxTransactionMs })
    this.#queue = new Queue(options.queue, runtime, {
      onFull: () => {
        // Nothing more can join it: to linger would only keep those waiting who have to wait for room.
        if (this.#queue.filling) this.#committer.want(this.#queue.filling)
        this.#emitBackpressure(true)
      },
      onRoom: () => this.#emitBackpressure(false),
      operationsPerSecond: () => this.#pacing.operationsPerSecond,
    })
    const derivationAlerts = new DerivationAlerts(runtime, this.events, options.alertAfterMs)
    const timing = { ...options.batch, ...options.retry, alertAfterMs: options.alertAfterMs }
    this.#committer = new Committer(store, this.#queue, this.#pacing, runtime, timing, {
      onSettling: (batch, settling) => {
        this.pending.settling(batch, settling)
        this.follower?.settling(batch, settling)
        if (settling.outcome !== undefined) this.#tellEffects(batch)
      },
      onCommitted: (batch, outcome, commitMs) => {
        this.tally.committed(batch, outcome)
        this.events.tellCommitted(batch, outcome, commitMs, (seq) => this.position(seq))
        derivationAlerts.tell(outcome.derivationFailures)
      },
      onRetry: (attempt, delayMs, error) => {
        this.tally.retries++
        this.events.emit('retry', { attempt, delayMs, error })
      },
      onStalled: (sinceMs) => this.events.tellStalled(sinceMs),
      onStopped: (error) => this.#stopped(error),
    })
    this.operations = this.operationsFor(this)
  }

  operationsFor<R>(sink: Sink<R>): Operations<R> {
    return new Operations(() => this.#book, sink, this.#statements, this.#store.dialect)
  }

  get queue(): Queue {
    return this.#queue
  }

  get committer(): Committer {
    return this.#committer
  }

  get epoch(): Epoch {
    return this.#store.epoch
  }

  get schema(): Schema {
    return this.#book.schema
  }

  /** Why nothing more is accepted, once the engine is closed or has stopped. */
  get refusal(): TidemarkError | undefined {
    return this.#refusal
  }

  /** Resolves when there are ids for the tables that preallocate them. @throws as `IdStocks.open` */
  stockIds(): Promise<void> {
    return this.#ids.open(this.schema)
  }

  useSchema(schema: Schema): void {
    if (schema.version !== this.schema.version) this.#ids.renew()
    this.#book = new ShapeBook(schema, this.#ids)
    this.pending.useSchema(schema, this.#queue.last)
  }

  // ── Sink: one operation at a time ────────────────────────────────────────────────────────────────────────

  runFor(shape: Shape): Run {
    if (this.#refusal !== undefined) throw this.#refusal
    return this.#queue.open().runFor(shape)
  }

  take(
    run: Run,
    bytes: number,
    id?: number,
    effects?: readonly EncodedEffect[],
    context: ReceiptContext = this,
  ): Receipt {
    if (bytes > this.#options.batch.maxBytes) throw tooLarge(bytes, this.#options.batch.maxBytes)
    if (effects !== undefined) this.#requireOutbox()
    if (this.pins.size > 0) this.pins.requireFree(run, run.count)
    this.#queue.admit(1, bytes)
    const batch = this.#queue.open()
    const seq = batch.extend(run, bytes)
    if (effects !== undefined) batch.carry(seq, effects)
    this.pending.add(batch, run, run.count - 1, seq)
    if (this.follower !== undefined) this.follower.accepted(batch, run, run.count - 1, seq)
    context.accepted?.(batch, seq, seq)
    this.#added(batch, 1, bytes, seq)
    return id === undefined ? new Receipt(context, batch, seq) : new IdReceipt(context, batch, seq, id)
  }

  // ── Calls that are queued as a whole ─────────────────────────────────────────────────────────────────────

  /** Collects what `write` writes; it is one operation. */
  group(write: (operations: Operations<Inserted>) => unknown, context?: ReceiptContext): Receipt {
    const collector = this.#collected(write)
    return this.groupOf(groupFrom(collector), extentOf(collector), context)
  }

  groupOf(
    group: Group,
    { operations, bytes, effects = [], isOwn = false }: GroupExtent,
    context: ReceiptContext = this,
  ): Receipt {
    const count = Math.max(operations, effects.length > 0 ? 1 : 0)
    if (count === 0) throw new InvalidOperationError('EMPTY_OPERATION', 'the group holds no operation.')
    if (effects.length > 0) this.#requireOutbox()
    const carried = effects.length === 0 ? [] : [{ operation: 0, effects }]
    const { batch, seq } = this.#addStep(group, 1, count, bytes, carried, isOwn)
    context.accepted?.(batch, seq, seq)
    return new Receipt(context, batch, seq)
  }

  load(
    write: (operations: Operations<Inserted>) => void,
    letters: Load['letters'],
    checkpoint: Load['checkpoint'],
    context: ReceiptContext = this,
  ): Receipt {
    const collector = this.#collected(write)
    // A checkpoint alone takes a position too: its receipt must have something to wait for.
    const positions = Math.max(1, collector.operations + letters.length)
    const letterBytes = letters.reduce((sum, { text }) => sum + 2 * text.length, 0)
    if (collector.effects.length > 0) this.#requireOutbox()
    const load: Load = { kind: 'load', positions, runs: collector.runs, letters, checkpoint }
    const bytes = collector.bytes + letterBytes
    const { batch, seq } = this.#addStep(load, positions, positions, bytes, collector.effects)
    const first = (seq - positions + 1) as Seq
    context.accepted?.(batch, first, seq)
    return new LoadReceipt(context, batch, first, seq)
  }

  /** @returns what `work` returned, once that is committed */
  transaction(work: TransactionWork, timeoutMs: number, context: ReceiptContext = this): Promise<unknown> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    const made = Promise.withResolvers<unknown>()
    this.#queue.addTurn((seq) => {
      this.pending.addOpaque(seq)
      const turn = new TransactionTurn(seq, work, timeoutMs, this.#runtime)
      made.resolve(turn.result.finally(() => this.#tellEffects(turn)))
      context.accepted?.(undefined, seq, seq)
      return turn
    })
    this.#committer.turnAdded()
    return made.promise
  }

  /**
   * Commits runs on tables of ours together with what `write` writes, as one operation that leaves no dead letter
   * when it is rejected.
   */
  groupWith(runs: readonly Run[], write: (operations: Operations<Inserted>) => unknown): Receipt {
    const collector = this.#collected(write, runs)
    const extent = { ...extentOf(collector), isOwn: true }
    return this.groupOf({ ...groupFrom(collector), leavesNoLetter: true }, extent)
  }

  // ── ReceiptContext ───────────────────────────────────────────────────────────────────────────────────────

  position(seq: Seq): Position {
    return { writer: this.#writer, epoch: this.#store.epoch, seq }
  }

  bookmarkOf(seq: Seq): string {
    return this.#toBookmark({ epoch: this.#store.epoch, seq })
  }

  want(batch: PendingBatch): void {
    this.#committer.want(batch)
  }

  whenRoom(): Promise<void> {
    return this.#queue.whenRoom()
  }

  /** For a producer: while it goes on in one tick, nothing of what it has filled batches with is sent. */
  ready(): Promise<void> {
    return this.#queue.isFull ? this.#queue.whenRoom() : this.#committer.sent()
  }

  timer(ms: number, task: () => void): { cancel(): void } {
    return this.#runtime.after(ms, task)
  }

  /** How long the oldest operation of a batch has been waiting. */
  waitedMs(batch: PendingBatch): number {
    return this.#runtime.monotonicMs() - batch.acceptedAtMs
  }

  /**
   * A reader found the database behind what is known to be committed: stops the engine.
   * @returns the error to fail with
   */
  lostHistory(found: Pick<Tidemark, 'watermark' | 'exists'>, known: Seq): EngineStoppedError {
    const error = historyLost(found, known)
    this.#committer.stop(error)
    return error
  }

  /** @throws EngineStoppedError `CLOSED` once `close` was called, also when the engine had stopped before */
  requireOpen(): void {
    if (this.#isClosing) throw closed('the engine is closed.')
  }

  // ── Waiting and ending ───────────────────────────────────────────────────────────────────────────────────

  /** Resolves when all that was accepted before the call is committed or rejected. */
  flush(): Promise<void> {
    return this.#committer.reached(this.#queue.last).done
  }

  /** From now on nothing is accepted but by `groupWith`. */
  refuse(): TidemarkError {
    this.#takesOwn = this.#refusal === undefined
    this.#isClosing = true
    return (this.#refusal ??= closed('the engine is closed; nothing was queued.'))
  }

  /** @throws EngineStoppedError when not everything could be committed before the deadline */
  async close(timeoutMs: number): Promise<void> {
    const refusal = this.refuse()
    this.#takesOwn = false
    const deadlineMs = this.#runtime.monotonicMs() + timeoutMs
    const expiry = Number.isFinite(timeoutMs)
      ? this.#runtime.after(timeoutMs, () =>
          this.#committer.stop(deadlinePassed(timeoutMs, this.#queue.operations)),
        )
      : undefined
    try {
      await this.flush()
    } finally {
      expiry?.cancel()
      // Later trouble is nobody's business any more: the engine ends here.
      this.#committer.stop(refusal)
      await this.#store.close(Math.max(100, deadlineMs - this.#runtime.monotonicMs()))
    }
  }

  #collected(write: (operations: Operations<Inserted>) => unknown, runs?: readonly Run[]): Collector {
    const collector = new Collector(this.pins, runs)
    return collect(collector, this.operationsFor(collector), write)
  }

  #addStep(
    step: Group | Load,
    positions: number,
    operations: number,
    bytes: number,
    carried: Collector['effects'],
    isOwn = false,
  ): { batch: PendingBatch; seq: Seq } {
    if (this.#refusal !== undefined && !(isOwn && this.#takesOwn)) throw this.#refusal
    this.#queue.admit(operations, bytes)
    const filling = this.#queue.filling
    if (
      filling &&
      (filling.operations + operations > this.#pacing.limit ||
        filling.bytes + bytes > this.#options.batch.maxBytes)
    ) {
      this.#queue.seal()
      this.#committer.accepted(filling)
    }
    const batch = this.#queue.open()
    const seq = batch.add(step, positions, operations, bytes)
    const first = (seq - positions + 1) as Seq
    for (const { operation, effects } of carried) batch.carry((first + operation) as Seq, effects)
    this.pending.addStep(batch, step, first)
    this.follower?.accepted(batch, step, 0, first)
    this.#added(batch, operations, bytes, seq)
    return { batch, seq }
  }

  #added(batch: PendingBatch, operations: number, bytes: number, seq: Seq): void {
    this.#queue.added(operations, bytes, seq)
    if (batch.operations >= this.#pacing.limit || batch.bytes >= this.#options.batch.maxBytes)
      this.#queue.seal()
    this.#committer.accepted(batch)
  }

  #tellEffects({ segments }: PendingBatch | TransactionTurn): void {
    for (const kind of new Set(segments.map((segment) => segment.kind))) this.onEffects(kind)
  }

  #requireOutbox(): void {
    if (!this.#store.keepsEffects) throw noOutbox()
  }

  #emitBackpressure(isFull: boolean): void {
    const { operations, bytes } = this.#queue
    this.events.emit('backpressure', { isFull, operations, bytes })
  }

  #stopped(error: TidemarkError): void {
    this.#takesOwn = false
    this.#ids.stop()
    this.pending.clear(this.schema)
    this.follower?.ended(error)
    if (error === this.#refusal) return
    this.#refusal ??= error
    if (error.code === 'FENCED') this.events.emit('fenced', { error })
    this.events.emit('alert', { kind: 'stopped', message: error.message, sinceMs: 0 })
  }
}
