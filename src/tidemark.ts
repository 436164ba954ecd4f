/** `open()` puts the parts together; nothing else knows all of them. */
import type { Writable } from 'node:stream'
import { Client, type Group, type TableName, type Tables } from './client.ts'
import type { Processor } from './contracts/processor.ts'
import type { Epoch, Position, WriterName } from './contracts/position.ts'
import type { Runtime } from './contracts/runtime.ts'
import type { Dialect, OpenedStore, Store, StoreStats } from './contracts/store.ts'
import type { Json } from './contracts/values.ts'
import { Effects } from './effects/effects.ts'
import type { EffectsHost } from './effects/host.ts'
import { liveCall, type LiveCall } from './live/call.ts'
import { Live, type LiveStats } from './live/live.ts'
import { Bookmarks } from './reads/bookmark.ts'
import type { ChangesOptions } from './reads/changes.ts'
import type { ReadStats } from './reads/metrics.ts'
import { openReads, type ReadQuery, type Reads } from './reads/reader.ts'
import type { ChangeIterator } from './reads/subscription.ts'
import type { SessionOptions } from './reads/session.ts'
import { systemRuntime } from './runtime/system.ts'
import { Session } from './session.ts'
import { nothing, withParameters } from './sql/text.ts'
import { readCheckpoint } from './writes/bookkeeping.ts'
import { listDeadLetters, redrive, type DeadLetter, type DeadLetterFilter } from './writes/dead-letters.ts'
import { WriteEngine } from './writes/engine.ts'
import type { EventName, Listener } from './writes/events.ts'
import { invalidOptions, leaseOf, parseOptions, type OpenOptions } from './writes/options.ts'
import { commitOwn } from './writes/own-group.ts'
import type { Outcome } from './writes/receipt.ts'
import { writableTo } from './writes/writable.ts'

/**
 * Opens an engine on a store. It reads the tables, takes the writer's name (fencing an older engine of the same
 * name) and is ready to write.
 *
 * @throws TidemarkError `INVALID_OPTIONS`, naming every problem; StoreError when the store cannot be opened;
 *   NotSupportedError when it cannot do what the options ask for
 */
export function open<DB extends Tables = Record<string, Record<string, unknown>>>(
  store: Store,
  options?: OpenOptions,
): Promise<Tidemark<DB>> {
  return openWith(systemRuntime, store, options)
}

/** `open` with time, timers and chance from elsewhere: what a simulation replaces. @throws as `open` */
export async function openWith<DB extends Tables>(
  runtime: Runtime,
  store: Store,
  options: OpenOptions | undefined,
): Promise<Tidemark<DB>> {
  const parsed = parseOptions(options)
  if (typeof (store as Partial<Store> | undefined)?.open !== 'function')
    throw invalidOptions(["open() takes a store first, such as sqlite('app.db')"])
  const writer = parsed.writer ?? (`writer-${runtime.uniqueId()}` as WriterName)
  let engine: WriteEngine | undefined
  let effects: Effects<Group<DB>> | undefined
  const opened = await store.open(writer, {
    runtime,
    leaseMs: leaseOf(parsed),
    epochStep: epochStepOf(runtime),
    newIdentity: { id: runtime.randomHex(8), secret: runtime.randomHex(32) },
    derivations: Object.entries(parsed.derive).map(([table, sql]) => ({ table, sql })),
    onSchemaChange: (schema) => engine?.useSchema(schema),
    onWanted: (seq) => engine?.committer.hurry(seq),
    onEffects: (kind) => effects?.committed(kind),
  })
  const bookmarks = new Bookmarks(opened.database)
  engine = new WriteEngine(writer, opened, runtime, parsed, (mark) => bookmarks.write([mark]))
  try {
    await engine.stockIds()
  } catch (error) {
    await engine.close(closeAfterFailureMs).catch(() => undefined)
    throw error
  }
  const reads = openReads(engine, opened, runtime, bookmarks, parsed.reads)
  const ask: Ask = async (sql, parameters) => {
    const query = { sql: withParameters(sql, opened.dialect), parameters, isRecurring: true }
    return (await opened.query(query, undefined, 'here')).rows
  }
  effects = openEffects<DB>(engine, opened, runtime, reads, bookmarks, ask)
  const live = new Live({
    engine,
    store: opened,
    runtime,
    ask,
    overlay: reads.overlay,
    others: reads.others,
    limits: parsed.live,
    lingerMs: parsed.batch.lingerMs,
  })
  return new Tidemark<DB>(
    { writer, store: opened, engine, reads, effects, live, runtime },
    liveCall(live, parsed.reads),
  )
}

/** Rows of tables of ours. */
type Ask = EffectsHost['ask']

function openEffects<DB extends Tables>(
  engine: WriteEngine,
  store: OpenedStore,
  runtime: Runtime,
  reads: Reads,
  bookmarks: Bookmarks,
  ask: Ask,
): Effects<Group<DB>> {
  const host: EffectsHost = {
    epoch: store.epoch,
    runtime,
    ask,
    commit: async (runs, writes = []) => {
      // No effect counts as done before what its handler has changed in live scopes.
      if (engine.pins.unsaved > 0) await engine.pins.settle()
      return await commitOwn(engine, runs, (operations) => {
        // What a handler writes to is typed by DB, as in `atomic`.
        for (const write of writes) write(operations as never)
      })
    },
    sent: () => engine.committer.sent(),
    durable: () => store.sync(),
    hear: (kind, forMs) => store.hearEffects?.(kind, forMs),
  }
  const effects = new Effects<Group<DB>>(
    store.keepsEffects ? host : undefined,
    { onAlert: (alert) => engine.events.emit('alert', alert) },
    {
      committed: async (bookmark, timeoutMs) => {
        await reads.reader.query(nothing, { after: bookmark, timeoutMs })
        return bookmarks.read(bookmark).marks
      },
      ask: async (query) =>
        (await reads.reader.query(query as ReadQuery<Record<string, unknown>>, 'strong')).rows,
    },
  )
  engine.onEffects = (kind) => effects.committed(kind)
  if (store.keepsEffects) reads.processors.effects = effects
  return effects
}

/** How long an engine that is not opened after all may take to let go of its store. */
const closeAfterFailureMs = 5_000

/** On average half of it: a million openings a year come to 2^53 in 268 years. */
const longestStep = 2 ** 26

function epochStepOf(runtime: Runtime): number {
  return 1 + Math.floor(runtime.random() * longestStep)
}

export interface Stats {
  /** Accepted and not yet settled, and how much of it the queue may hold. */
  readonly queued: {
    readonly operations: number
    readonly bytes: number
    readonly oldestMs: number
    readonly maxOperations: number
    readonly maxBytes: number
  }
  readonly inFlight: number
  /** The highest position known to be committed. */
  readonly tidemark: Position
  readonly committed: {
    readonly operations: number
    readonly batches: number
    readonly operationsPerBatch: number
  }
  readonly rejected: number
  readonly retries: number
  /** How often the write lock was taken, and for how long. */
  readonly transactions: { readonly count: number; readonly lastMs: number; readonly longestMs: number }
  /** Reads, how long they waited, and what came of it. */
  readonly reads: ReadStats
  /** Rows held in memory, and what became of their changes. */
  readonly live: LiveStats
  readonly store: StoreStats
}

interface TidemarkParts<DB> {
  readonly writer: WriterName
  readonly store: OpenedStore
  readonly engine: WriteEngine
  readonly reads: Reads
  readonly effects: Effects<Group<DB>>
  readonly live: Live
  readonly runtime: Runtime
}

/** An open engine. */
export class Tidemark<DB extends Tables> extends Client<DB> implements AsyncDisposable {
  readonly writer: WriterName
  readonly epoch: Epoch
  /** Whose SQL the database speaks. */
  readonly dialect: Dialect
  readonly #store: OpenedStore
  readonly #engine: WriteEngine
  readonly #reads: Reads
  /** Follow-up work that is committed with the writes it belongs to. */
  readonly effects: Effects<Group<DB>>
  /** Rows that are held in memory while a job works on them: see the call itself. */
  readonly live: LiveCall<DB>
  readonly #live: Live
  readonly #runtime: Runtime

  /** Use `open()`. */
  constructor(parts: TidemarkParts<DB>, live: LiveCall<DB>) {
    const { writer, store, engine, reads, effects, runtime } = parts
    super(engine, reads.reader)
    this.writer = writer
    this.epoch = store.epoch
    this.dialect = store.dialect
    this.#store = store
    this.#engine = engine
    this.#reads = reads
    this.effects = effects
    this.live = live
    this.#live = parts.live
    this.#runtime = runtime
  }

  /**
   * The same writes and reads for one user's work: its reads see its own writes and never go back in time, here and
   * wherever its bookmark is taken.
   *
   * @param bookmark where an earlier session ended, perhaps in another process; several are merged
   * @throws TidemarkError `INVALID_BOOKMARK`
   */
  session(bookmark: string | readonly string[] = [], options: SessionOptions = {}): Session<DB> {
    const session = new Session<DB>(this.#engine, this.#reads, options)
    for (const one of Array.isArray(bookmark) ? bookmark : [bookmark]) session.include(one as string)
    return session
  }

  /**
   * Strong reads wait for this processor from now on, for the keys that they name.
   *
   * @returns a function that ends it
   * @throws TidemarkError `INVALID_CALL` when one of this name is followed already
   */
  follow(processor: Processor): () => void {
    return this.#reads.processors.follow(processor)
  }

  /**
   * Every operation of this engine, as it is accepted or as it is committed. Never holds up a writer: a consumer that
   * falls behind by more than its buffer gets one `gap` that says how many changes it missed.
   *
   * @throws TidemarkError `INVALID_CALL`, `UNKNOWN_TABLE`
   */
  changes(options: ChangesOptions): ChangeIterator {
    return this.#reads.changes.subscribe(options)
  }

  /**
   * Resolves when all that was accepted, or changed in a live scope, before the call is committed or in the dead letters.
   *
   * @param options `durable: true`: and survives a power loss, by one disk sync for everything before it
   * @throws EngineStoppedError when the engine stops first
   */
  async flush(options: { readonly durable?: boolean } = {}): Promise<void> {
    await this.#engine.pins.settle()
    await this.#engine.flush()
    if (options.durable) await this.#held.sync()
  }

  /** The queue reached a limit and has not yet fallen to half of it, or preallocated ids are used up for a moment. */
  get isFull(): boolean {
    return this.#engine.queue.isFull
  }

  /** Resolves when the queue has room again; when it is not full at once, or in the next tick where a batch is full. */
  ready(): Promise<void> {
    return this.#engine.ready()
  }

  /** A Node stream in object mode that inserts what is written to it and holds its source back when the queue is full. */
  writable<T extends TableName<DB>>(table: T): Writable {
    return writableTo(this.#engine, table)
  }

  /** What the last committed load of this source gave as its checkpoint. */
  async checkpoint(source: string): Promise<Json | undefined> {
    return await readCheckpoint(this.#held, source)
  }

  /** Operations that the store refused for good, oldest first. */
  async deadLetters(filter?: DeadLetterFilter): Promise<DeadLetter[]> {
    return await listDeadLetters(this.#held, filter)
  }

  /** Writes dead letters' operations again, at new positions. One that is refused again stays a dead letter. */
  async redrive(ids: readonly number[]): Promise<{ id: number; outcome: Outcome }[]> {
    return await redrive(this.#engine, this.#held, ids)
  }

  /** Reads the tables again, after they were changed by another connection. */
  async reloadSchema(): Promise<void> {
    this.#engine.useSchema(await this.#held.reloadSchema())
  }

  /** @returns a function that takes the listener off again */
  on<E extends EventName>(event: E, listener: Listener<E>): () => void {
    return this.#engine.events.on(event, listener)
  }

  stats(): Stats {
    const { queue, committer, tally } = this.#engine
    const { oldestAcceptedAtMs } = committer
    return {
      queued: {
        operations: queue.operations,
        bytes: queue.bytes,
        oldestMs: oldestAcceptedAtMs === undefined ? 0 : this.#runtime.monotonicMs() - oldestAcceptedAtMs,
        maxOperations: queue.maxOperations,
        maxBytes: queue.maxBytes,
      },
      inFlight: committer.inFlight,
      tidemark: this.#engine.position(committer.tidemark),
      committed: {
        operations: tally.operations,
        batches: tally.batches,
        operationsPerBatch: tally.batches === 0 ? 0 : tally.operations / tally.batches,
      },
      rejected: tally.rejections,
      retries: tally.retries,
      transactions: {
        count: tally.transactions,
        lastMs: tally.lastTransactionMs,
        longestMs: tally.longestTransactionMs,
      },
      reads: this.#reads.stats(),
      live: this.#live.stats(),
      store: this.#store.stats(),
    }
  }

  /**
   * Commits everything accepted, then lets the store go. Writes from now on throw `CLOSED`.
   *
   * @param options `timeoutMs`: what is not committed by then is abandoned, and told so on its receipt. Default 30,000
   * @throws EngineStoppedError `DEADLINE_PASSED` when something was abandoned, or why the engine had stopped
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? 30_000
    const startedMs = this.#runtime.monotonicMs()
    if (this.effects.isAtWork) {
      // One that has stopped commits nothing more of what they do.
      const hasStopped = this.#engine.refusal !== undefined
      this.#engine.refuse()
      await this.effects.stop(hasStopped ? 0 : timeoutMs / 2)
    }
    if (this.#live.isAtWork) {
      this.#engine.refuse()
      await this.#live.stop(Math.max(0, timeoutMs - (this.#runtime.monotonicMs() - startedMs)) / 2)
    }
    await this.#engine.close(Math.max(0, timeoutMs - (this.#runtime.monotonicMs() - startedMs)))
  }

  /** The store, until it is let go. */
  get #held(): OpenedStore {
    this.#engine.requireOpen()
    return this.#store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
