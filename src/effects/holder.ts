/**
 * Which lanes of a kind this engine holds: it takes those that nobody holds, and those whose holder shows no sign of
 * life; shows its own; asks for some of an engine that has more, and lets others have some; and sweeps away the segments
 * that every lane is past.
 *
 * Keeps: law 8 (two holders of one lane are told apart by its row, see `lease.ts`), law 7 (the outbox holds what is
 * unfinished and little more).
 */
import type { EffectsHost } from './host.ts'
import { endOf } from './item.ts'
import { Lane, type LaneEvents } from './lane.ts'
import { askForLane, letLaneGo, makeKind, readLanes, takeLane, type LaneRow } from './lease.ts'
import { commitInParts } from './in-parts.ts'
import { own } from './own-tables.ts'
import { isPast } from './progress.ts'
import { Sights } from './sights.ts'

/** Segments swept away in one operation. */
const sweptAtOnce = 256

export class Holder {
  readonly lanes: Map<number, Lane> = new Map()
  readonly #host: EffectsHost
  readonly #kind: string
  readonly #leaseMs: number
  readonly #atOnce: number
  readonly #events: LaneEvents
  readonly #sights: Sights
  /** Lanes that are let go: their last move is under way. */
  readonly #leaving = new Set<number>()
  #isOver = false
  #laneCount = 1
  #beatAtMs = 0
  #isSweeping = false

  /** @param atOnce so many effects are delivered at once, at most */
  constructor(
    host: EffectsHost,
    kind: string,
    { leaseMs, atOnce }: { readonly leaseMs: number; readonly atOnce: number },
    events: LaneEvents,
  ) {
    this.#host = host
    this.#kind = kind
    this.#leaseMs = leaseMs
    this.#atOnce = atOnce
    this.#events = events
    this.#sights = new Sights(host.runtime)
  }

  /** @param lanes how many there are to be, if the kind is new. @returns how many there are */
  async begin(lanes: number): Promise<number> {
    this.#laneCount = await makeKind(this.#host, this.#kind, lanes)
    return this.#laneCount
  }

  /** Takes what can be taken, and sees to it that every engine has its part. */
  async takeLanes(): Promise<void> {
    const rows = await readLanes(this.#host, this.#kind)
    this.#sights.see(new Map([[this.#kind, rows]]))
    for (const row of rows) if (this.#mayTake(row)) await this.#take(row)
    for (const { lane, wantedBy } of rows)
      if (wantedBy !== undefined && wantedBy !== this.#host.epoch) this.#retire(lane)
    if (this.#isOver) return
    for (const row of this.#missingFrom(rows)) await askForLane(this.#host, this.#kind, row)
  }

  /** Lets go of the lanes that others are to have. @param isOut whether effects of a lane are under way */
  async handOver(isOut: (lane: Lane) => boolean): Promise<void> {
    const retired = [...this.lanes.values()].filter((lane) => lane.isRetiring && !isOut(lane))
    await Promise.all(retired.map((lane) => this.#letGo(lane)))
  }

  /** Called often enough: a third of the lease. */
  beat(): void {
    const nowMs = this.#host.runtime.monotonicMs()
    if (nowMs - this.#beatAtMs < this.#leaseMs / 3) return
    this.#beatAtMs = nowMs
    for (const lane of this.lanes.values()) lane.beat()
  }

  /** All of them, and takes none any more. */
  async letGo(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.lanes.values()].map((lane) => this.#letGo(lane)))
  }

  /** Until it is free it must not be taken anew: what is settled and not committed would be delivered again. */
  async #letGo(lane: Lane): Promise<void> {
    this.lanes.delete(lane.number)
    this.#leaving.add(lane.number)
    try {
      await lane.letGo()
    } finally {
      this.#leaving.delete(lane.number)
    }
  }

  /** Deletes the segments that every lane has passed. Whoever does it twice deletes nothing twice. */
  async sweep(): Promise<void> {
    if (this.#isSweeping) return
    this.#isSweeping = true
    for (const lane of this.lanes.values()) if (lane.isAhead) lane.beat()
    try {
      const rows = await readLanes(this.#host, this.#kind)
      const segments = await this.#host.ask(
        `SELECT id, epoch, last_seq, last_n FROM tidemark_segments WHERE kind = ? ORDER BY id LIMIT ${sweptAtOnce}`,
        [this.#kind],
      )
      const passed = segments.filter(
        (row) => rows.length > 0 && rows.every(({ progress }) => isPast(progress, endOf(row))),
      )
      await commitInParts(this.#host, passed, (runs, { id }) => runs.add(own.dropSegment, Number(id)))
    } finally {
      this.#isSweeping = false
    }
  }

  #mayTake(row: LaneRow): boolean {
    return !this.#isOver && !this.lanes.has(row.lane) && !this.#leaving.has(row.lane) && this.#isFree(row)
  }

  async #take(row: LaneRow): Promise<void> {
    const hold = await takeLane(this.#host, this.#kind, row, this.#leaseMs)
    if (hold === undefined) return
    // All others were let go meanwhile.
    if (this.#isOver) return await letLaneGo(this.#host, this.#kind, row.lane, hold, row.progress)
    const size = { lanes: this.#laneCount, atOnce: this.#atOnce }
    const lane = new Lane(this.#host, this.#kind, size, row, hold, {
      ...this.#events,
      onLost: (lost) => {
        if (this.lanes.get(lost.number) === lost) this.lanes.delete(lost.number)
        this.#events.onLost(lost)
      },
    })
    this.lanes.set(row.lane, lane)
    await lane.begin()
  }

  /** As long as it keeps one. */
  #retire(number: number): void {
    const kept = [...this.lanes.values()].filter(({ isRetiring }) => !isRetiring)
    if (kept.length > 1) this.lanes.get(number)?.retire()
  }

  /** Half of what the engine that has the most has more than this one, without what was asked for already. */
  #missingFrom(rows: readonly LaneRow[]): LaneRow[] {
    const me = this.#host.epoch
    const mine = this.lanes.size + rows.filter(({ wantedBy }) => wantedBy === me).length
    const byOwner = Map.groupBy(
      rows.filter((row) => row.owner !== me && !row.isOwnerGone && row.wantedBy === undefined),
      ({ owner }) => owner,
    )
    const [most = []] = [...byOwner.values()].toSorted((some, others) => others.length - some.length)
    return most.slice(0, Math.max(0, Math.floor((most.length - mine) / 2)))
  }

  /**
   * Nobody holds it, or by our own clock its holder has been silent for as long as it asked for; and so has whoever is to
   * have it.
   */
  #isFree(row: LaneRow): boolean {
    const me = this.#host.epoch
    const isForMe = row.isOwnerGone && (row.wantedBy ?? me) === me
    // Its own, of which it knows nothing any more: a move of it was refused.
    return row.owner === me || isForMe || this.#sights.isSilent(this.#kind, row)
  }
}
