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
 *
 * How it could break: a query whose snapshot began before the last wait ended. So the query is sent to the store
 * only then, and the store begins a new snapshot for each (`OpenedStore.query`). What a rejected write would have
 * shown is not waited for: it has no result, and the session tells of it.
 */
import type { Epoch, Mark, Position, Seq } from '../contracts/position.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { OpenedStore, QueryResult, SqlQuery, WriterTidemark } from '../contracts/store.ts'
import { StoreError, TidemarkError } from '../errors.ts'
import type { WriteEngine } from '../writes/engine.ts'
import { mergeMarks, type Bookmarks } from './bookmark.ts'
import { Deadline, type WaitLimits } from './deadline.ts'
import type { ReadLevel, ReadMetrics } from './metrics.ts'
import type { OtherWriters } from './other-writers.ts'
import type { Processors } from './processors.ts'
import type { ReadPlan } from './read-options.ts'
import type { SessionState } from './session.ts'

export interface GateParts {
  readonly engine: WriteEngine
  readonly store: OpenedStore
  readonly runtime: Runtime
  readonly bookmarks: Bookmarks
  readonly others: OtherWriters
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

const nothing: SqlQuery = { sql: 'SELECT 1', parameters: [] }
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
    const { engine, store, others } = this.#parts
    if (plan.level === 'eventual') return this.#queryNow(query, session)
    return this.measured(plan.level, plan, async (deadline) => {
      const marks = await this.#wait(plan, session, deadline)
      const known = { epoch: store.epoch, seq: engine.committer.tidemark }
      const required = others.unknown(marks)
      const result =
        required.length === 0
          ? await store.query(query)
          : await this.#readOthers(query, required, session, deadline)
      session?.saw([known])
      return result
    })
  }

  /** An eventual read waits for nothing, so nothing is made ready to wait. */
  async #queryNow(query: SqlQuery, session: SessionState | undefined): Promise<QueryResult> {
    const { engine, store, metrics } = this.#parts
    try {
      engine.requireOpen()
      session?.requireNoRejections()
      const known = { epoch: store.epoch, seq: engine.committer.tidemark }
      const result = await store.query(query)
      session?.saw([known])
      metrics.record('eventual', 0, 'satisfied')
      return result
    } catch (error) {
      throw this.#failure('eventual', 0, error)
    }
  }

  /** As `query`, and tells what the rows' snapshot held. */
  async see(query: SqlQuery, plan: ReadPlan, session?: SessionState): Promise<SeenResult> {
    const { engine, others, store } = this.#parts
    return await this.measured(plan.level, plan, async (deadline) => {
      const marks = await this.#wait(plan, session, deadline)
      const known = engine.committer.tidemark
      const { result, tidemarks } = await others.read(query, others.of(marks), deadline)
      await this.#requireHistory(tidemarks, known)
      session?.saw(tidemarks.filter(({ epoch }) => epoch === store.epoch).map(markOf))
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
  async #requireHistory(tidemarks: readonly WriterTidemark[], known: Seq): Promise<void> {
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
  }

  /** Waits for what the plan asks of this engine. @returns all positions that the read must include */
  async #wait(
    plan: ReadPlan,
    session: SessionState | undefined,
    deadline: Deadline,
  ): Promise<Map<Epoch, Seq>> {
    const { engine, processors } = this.#parts
    const marks = this.#marksOf(plan, session)
    const own = marks.get(this.#parts.store.epoch)
    if (own !== undefined) await this.#reach(own, deadline)
    if (plan.keys.length > 0 && plan.level !== 'eventual') {
      const haveBeenAsked = await processors.waitFor(plan.processors, plan.keys, deadline)
      // What they wrote must be seen as well, also if they were idle again before it was their turn to be asked.
      if (haveBeenAsked) await this.#reach(engine.queue.last, deadline)
    }
    // It may have been closed meanwhile, or stopped: a database that went back shows nothing that can be relied on.
    engine.requireOpen()
    if (engine.refusal?.code === 'HISTORY_LOST' && plan.level !== 'eventual') throw engine.refusal
    session?.requireNoRejections()
    return marks
  }

  #marksOf({ level, after }: ReadPlan, session: SessionState | undefined): Map<Epoch, Seq> {
    const marks = new Map<Epoch, Seq>()
    if (level === 'eventual') return marks
    const { engine, store, bookmarks } = this.#parts
    for (const bookmark of after) mergeMarks(marks, bookmarks.read(bookmark))
    if (session)
      mergeMarks(
        marks,
        [...session.marks].map(([epoch, seq]) => ({ epoch, seq })),
      )
    if (level === 'strong' || (!session && after.length === 0))
      mergeMarks(marks, [{ epoch: store.epoch, seq: engine.queue.last }])
    return marks
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

function markOf({ epoch, watermark }: WriterTidemark): Mark {
  return { epoch, seq: watermark }
}

function positionOf({ writer, epoch, watermark }: WriterTidemark): Position {
  return { writer, epoch, seq: watermark }
}
