/**
 * The gate before each read: it turns a level into what has to be committed, and idle, and waits for that.
 *
 * Owns: the order of the waits. Keeps: law 6, and law 10 where a snapshot's tidemarks are read.
 *   eventual        waits for nothing.
 *   readAfterWrite  the positions of the session and of `after`; without either, all this engine had accepted.
 *   strong          all this engine had accepted when the read began; the processors of the keys named.
 *
 *   own positions ─▶ processors ─▶ what those wrote ─▶ others' positions, with the query in one snapshot ─▶ rows
 *        └──────────────┴───────────────┴─ deadline or signal: StaleReadError, and no rows ─┘
 *   on a replica the last step is: all positions, own ones too, and the place in the log (`replica-reads.ts`).
 *
 * How it could break: a query whose snapshot began before the last wait ended. So the query is sent to the store
 * only then, and the store begins a new snapshot for each (`OpenedStore.query`). What a rejected write would have
 * shown is not waited for: it has no result, and the session tells of it.
 */
import type { Epoch, LogPosition, Mark, Position, Seq } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedStore, QueryResult, SqlQuery, WriterTidemark } from '../contracts/store.ts'
import { StoreError, TidemarkError } from '../errors.ts'
import { nothing } from '../sql/text.ts'
import { effectKeyOf } from '../writes/effect-input.ts'
import type { WriteEngine } from '../writes/engine.ts'
import { mergeMarks, mergePositions, type Bookmarks } from './bookmark.ts'
import { Deadline, type WaitLimits } from './deadline.ts'
import type { ReadLevel, ReadMetrics } from './metrics.ts'
import type { OtherWriters } from './other-writers.ts'
import type { Processors } from './processors.ts'
import type { ReadPlan, TableKey } from './read-options.ts'
import type { FreshCopy, ReplicaReads, Required } from './replica-reads.ts'
import type { SessionState } from './session.ts'

export interface GateParts {
  readonly engine: WriteEngine
  readonly store: OpenedStore
  readonly runtime: Runtime
  readonly bookmarks: Bookmarks
  readonly others: OtherWriters
  readonly copies: ReplicaReads
  readonly processors: Processors
  readonly metrics: ReadMetrics
}

/** Rows, and what their snapshot held. */
export interface SeenResult {
  readonly result: QueryResult
  /** The tidemarks of the writers that were open, and of those waited for. */
  readonly seen: readonly Position[]
  readonly waitedMs: number
}

const none = 0 as Seq

export class Gate {
  readonly #parts: GateParts

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /**
   * @throws StaleReadError when its time is over; TidemarkError `POSITION_LOST`, `BOOKMARK_EXPIRED`,
   *   `PROCESSOR_FAILED`; WriteRejectedError in a session; StoreError when the query is at fault
   */
  query(query: SqlQuery, plan: ReadPlan, session?: SessionState): Promise<QueryResult> {
    if (plan.level === 'eventual' && plan.from === 'primary') return this.#queryNow(query, plan, session)
    return this.measured(plan.level, plan, async (deadline) => {
      const required = await this.#wait(plan, session, deadline)
      const copy = await this.#readCopy(query, plan, required, session, deadline)
      return copy ? copy.result : await this.#readPrimary(query, required, session, deadline)
    })
  }

  /** An eventual read waits for nothing but its turn. */
  async #queryNow(query: SqlQuery, plan: ReadPlan, session: SessionState | undefined): Promise<QueryResult> {
    const { engine, store, metrics, runtime } = this.#parts
    const deadline = new Deadline(runtime, plan)
    try {
      engine.requireOpen()
      session?.requireNoRejections()
      const known = { epoch: store.epoch, seq: engine.committer.tidemark }
      const result = await store.query(query, deadline)
      if (session) await this.sawPrimary(session, known, deadline)
      metrics.record('eventual', deadline.waitedMs, 'satisfied')
      return result
    } catch (error) {
      throw this.#failure('eventual', deadline.waitedMs, error)
    }
  }

  async #readPrimary(
    query: SqlQuery,
    { marks }: Required,
    session: SessionState | undefined,
    deadline: Deadline,
  ): Promise<QueryResult> {
    const { engine, store, others } = this.#parts
    const known = { epoch: store.epoch, seq: engine.committer.tidemark }
    const required = others.unknown(marks)
    const result =
      required.length === 0
        ? await store.query(query, deadline)
        : await this.#readOthers(query, required, session, deadline)
    if (session) await this.sawPrimary(session, known, deadline)
    return result
  }

  /** @returns undefined where the read is not to be made on a replica, or cannot be */
  async #readCopy(
    query: SqlQuery,
    { from }: ReadPlan,
    required: Required,
    session: SessionState | undefined,
    deadline: Deadline,
  ): Promise<FreshCopy | undefined> {
    if (from === 'primary') return undefined
    const copy = await this.#parts.copies.read(query, required, deadline)
    if (copy) session?.sawCopy(copy)
    return copy
  }

  /** The session was shown at least `known`, and whatever else was committed: no replica may show less from now on. */
  async sawPrimary(session: SessionState, known: Mark, deadline: Deadline): Promise<void> {
    session.saw([known])
    const { replicas } = this.#parts.store
    if (replicas) session.sawUpTo(await replicas.position(deadline))
  }

  /** As `query`, and tells what the rows' snapshot held. */
  async see(query: SqlQuery, plan: ReadPlan, session?: SessionState): Promise<SeenResult> {
    const { engine, others, store } = this.#parts
    return await this.measured(plan.level, plan, async (deadline) => {
      const required = await this.#wait(plan, session, deadline)
      const copy = await this.#readCopy(query, plan, required, session, deadline)
      if (copy)
        return { result: copy.result, seen: copy.tidemarks.map(positionOf), waitedMs: deadline.waitedMs }
      const known = engine.committer.tidemark
      const { result, tidemarks } = await others.read(query, others.of(required.marks), deadline)
      const own = await this.#requireHistory(tidemarks, known)
      if (session) await this.sawPrimary(session, { epoch: store.epoch, seq: own }, deadline)
      return { result, seen: tidemarks.map(positionOf), waitedMs: deadline.waitedMs }
    })
  }

  /** Waits until what the session follows of other engines is committed. */
  async catchUp(session: SessionState, limits: WaitLimits): Promise<void> {
    await this.measured('readAfterWrite', limits, (deadline) => this.followOthers(session, deadline))
  }

  async followOthers(session: SessionState, deadline: Deadline): Promise<void> {
    const required = this.#parts.others.unknown(session.marks)
    if (required.length === 0) session.hasSeen([])
    else await this.#readOthers(nothing, required, session, deadline)
  }

  async #readOthers(
    query: SqlQuery,
    required: readonly Mark[],
    session: SessionState | undefined,
    deadline: Deadline,
  ): Promise<QueryResult> {
    const { result, tidemarks } = await this.#parts.others.read(query, required, deadline)
    session?.hasSeen(tidemarks)
    return result
  }

  /** A snapshot behind what this engine knows to be committed is of a database that went back in time. */
  async #requireHistory(tidemarks: readonly WriterTidemark[], known: Seq): Promise<Seq> {
    const { engine, store } = this.#parts
    const isOwn = ({ epoch }: WriterTidemark): boolean => epoch === store.epoch
    let own = tidemarks.find(isOwn)
    if (!own) {
      // Epochs that have ended are told only to who asks for them: this one may have, or not be there at all.
      const asked = await store.snapshot(nothing, [{ epoch: store.epoch, seq: none }])
      own = asked.tidemarks.find(isOwn)
    }
    const watermark = own?.watermark ?? none
    if (!own || watermark < known) throw engine.lostHistory({ watermark, exists: own !== undefined }, known)
    return watermark
  }

  /** Waits for what the plan asks of this engine. @returns what the read must have seen */
  async #wait(plan: ReadPlan, session: SessionState | undefined, deadline: Deadline): Promise<Required> {
    const { engine, processors, store } = this.#parts
    const { marks, seen } = await this.#requiredBy(plan, session, deadline)
    const own = marks.get(store.epoch)
    if (own !== undefined) await this.#reach(own, deadline)
    if (plan.level !== 'eventual' && (plan.keys.length > 0 || plan.processors !== undefined)) {
      const effectKeys = plan.keys.flatMap((key) => this.#effectKeys(key))
      const effectsWereAsked = await processors.waitForEffects(plan.processors ?? [], effectKeys, deadline)
      const processorsWereAsked = await processors.waitFor(plan.processors, plan.keys, deadline)
      const haveBeenAsked = effectsWereAsked || processorsWereAsked
      // What they wrote must be seen as well, also if they were idle again before it was their turn to be asked.
      if (haveBeenAsked) {
        mergeMarks(marks, [{ epoch: store.epoch, seq: engine.queue.last }])
        await this.#reach(engine.queue.last, deadline)
      }
    }
    // It may have been closed meanwhile, or stopped: a database that went back shows nothing that can be relied on.
    engine.requireOpen()
    if (engine.refusal?.code === 'HISTORY_LOST' && plan.level !== 'eventual') throw engine.refusal
    session?.requireNoRejections()
    return { marks, seen }
  }

  /** Under which key the effects of a row are, if it is known. */
  #effectKeys([table, key]: TableKey): string[] {
    const schema = this.#parts.engine.schema.tables.get(table)
    const effectKey = schema === undefined ? null : effectKeyOf(schema, key)
    return effectKey === null ? [] : [String(effectKey)]
  }

  async #requiredBy(
    { level, after, from }: ReadPlan,
    session: SessionState | undefined,
    deadline: Deadline,
  ): Promise<{ marks: Map<Epoch, Seq>; seen: LogPosition | undefined }> {
    const marks = new Map<Epoch, Seq>()
    let seen: LogPosition | undefined
    if (level === 'eventual') return { marks, seen }
    const { engine, store, bookmarks, copies } = this.#parts
    const asksForAll = level === 'strong' || (!session && after.length === 0)
    if (asksForAll) await this.#settleMemory(deadline)
    for (const bookmark of after) {
      const known = bookmarks.read(bookmark)
      mergeMarks(marks, known.marks)
      seen = mergePositions(seen, known.seen)
    }
    seen = mergePositions(seen, session?.seen)
    if (session)
      mergeMarks(
        marks,
        [...session.marks].map(([epoch, seq]) => ({ epoch, seq })),
      )
    if (asksForAll) mergeMarks(marks, [{ epoch: store.epoch, seq: engine.queue.last }])
    // All that anybody had committed, Tidemark or not.
    if (level === 'strong' && from === 'replica')
      seen = mergePositions(seen, await copies.require().position(deadline))
    return { marks, seen }
  }

  /** What live scopes had changed when the read began counts as accepted. */
  async #settleMemory(deadline: Deadline): Promise<void> {
    const { pins } = this.#parts.engine
    if (pins.unsaved === 0) return
    await deadline.wait(
      { done: pins.settle(), cancel: () => undefined },
      () => 'live scopes were not committed',
    )
  }

  async #reach(seq: Seq, deadline: Deadline): Promise<void> {
    const { engine } = this.#parts
    const { committer, queue } = engine
    if (committer.tidemark >= seq) return
    if (seq > queue.last) throw neverGiven(seq, queue.last)
    await deadline.wait(
      committer.reached(seq),
      () => `this engine had committed ${committer.tidemark} of ${seq}`,
    )
  }

  /** Runs one read of a level, with a deadline of its own, and counts what becomes of it. */
  async measured<T>(
    level: ReadLevel,
    limits: WaitLimits,
    read: (deadline: Deadline) => T | Promise<T>,
  ): Promise<T> {
    const { engine, metrics, runtime } = this.#parts
    const deadline = new Deadline(runtime, limits)
    try {
      engine.requireOpen()
      const found = read(deadline)
      const answer = found instanceof Promise ? await found : found
      metrics.record(level, deadline.waitedMs, 'satisfied')
      return answer
    } catch (error) {
      throw this.#failure(level, deadline.waitedMs, error)
    }
  }

  /** What to tell: of a store that was let go under the read, that the engine is closed. */
  #failure(level: ReadLevel, waitedMs: number, error: unknown): unknown {
    this.#parts.metrics.failed(level, waitedMs, error)
    if (error instanceof StoreError) this.#parts.engine.requireOpen()
    return error
  }
}

/** The signature says that it was given once: by an engine that had this epoch before the database went back. */
function neverGiven(seq: Seq, last: Seq): TidemarkError {
  return new TidemarkError(
    'POSITION_LOST',
    `the bookmark names position ${seq} of this engine, which has given ${last}: the database went back in time.`,
    {
      hint: 'It was restored or replaced. Drop the bookmark, and compare what is there with what should be.',
    },
  )
}

function positionOf({ writer, epoch, watermark }: WriterTidemark): Position {
  return { writer, epoch, seq: watermark }
}
