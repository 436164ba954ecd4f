/**
 * One lane of a kind, while this engine holds it: its effects are loaded from the outbox, given out to be delivered, and
 * what became of them is committed together with how far the lane has come.
 *
 * Keeps: law 8 (given out only once their commit survives a power loss; finished only once that is committed, by a move
 * that names the hold; of one key one at a time, in order), law 3 (a move whose outcome nobody knows is found out by the
 * next, which names the beat: then the lane begins anew from what is committed), law 7 (the window is bounded).
 *
 *   held ──segments and rows loaded, durable──▶ taken ──settled──▶ committed with the move
 *     │ ▲                                                            │ refused: the hold is another's ──▶ lost
 *     │ └──────────────── put back, or tried again ◀─────────────────┘ refused: a write of a handler's is at fault
 *     └── let go
 *
 * How it could break: two moves under way at once would name one beat, so there is one at a time, and what is settled
 * meanwhile goes with the next; whoever lost it and does not know would not see what the next holder moved to rows, so the
 * outbox and the rows are read only while it is held.
 */
import type { EffectsHost } from './host.ts'
import type { Item } from './item.ts'
import { letLaneGo, moveLane, readLanes, whileHeld, type Hold } from './lease.ts'
import { Loader } from './loader.ts'
import { livingEpochs } from './outbox.ts'
import { EndOfTick } from '../end-of-tick.ts'
import { OwnRuns } from '../own-runs.ts'
import type { Progress } from './progress.ts'
import { addSettlement, delivered, held, Settled, writesOf } from './settlement.ts'
import { WaitingEffects } from './waiting.ts'
import { Window } from './window.ts'

export interface LaneEvents {
  /** Effects may be taken. */
  onReady(): void
  /** Somebody else holds it, or its state is not what this engine believes: it must be taken anew. */
  onLost(lane: Lane): void
  /** One that failed is tried again, without that anything is committed. */
  onRetried(): void
  /** A handler's write was refused, so its effect is not delivered: how it is settled then. */
  onWriteRefused(settled: Settled, error: Error): Settled
  /** These are committed. */
  onSettled(settled: readonly Settled[]): void
  /** What could not be loaded is loaded at the next look. */
  onTrouble(error: unknown): void
}

/** Settled effects that are committed together, at most: a handler's writes are among them. */
const settledTogether = 4_096

export class Lane {
  readonly number: number
  readonly #host: EffectsHost
  readonly #kind: string
  readonly #events: LaneEvents
  readonly #waiting: WaitingEffects
  readonly #window: Window
  readonly #loader: Loader
  #hold: Hold
  #progress: Progress
  #settled: Settled[] = []
  /** So many of the settled are committed one at a time, since a write of one of them was refused. */
  #alone = 0
  /** What a commit has made room for waits until the next commit is sent, so that the database has something to do. */
  readonly #goingOn: EndOfTick
  #isMoving = false
  #moving: Promise<void> = Promise.resolve()
  #mustMove = false
  /** Also until it is known what waits in rows. */
  #isLoading = true
  /** Once more when it is loaded. */
  #mustLoad = false
  #isOver = false
  #isRetiring = false
  /** By the id of an effect that is under way: those that need not be delivered once it is. */
  readonly #superseded = new Map<string, readonly Item[]>()
  /** Those that failed when they would have made others superfluous. */
  readonly #repeated = new Set<string>()
  /** Whose delivery ended late: they have rows, and are tried again where it does not count. */
  readonly #late = new WeakSet<Item>()

  constructor(
    host: EffectsHost,
    kind: string,
    { lanes, atOnce }: { readonly lanes: number; readonly atOnce: number },
    row: { readonly lane: number; readonly progress: Progress },
    hold: Hold,
    events: LaneEvents,
  ) {
    this.number = row.lane
    this.#host = host
    this.#kind = kind
    this.#events = events
    this.#hold = hold
    this.#progress = row.progress
    this.#goingOn = new EndOfTick(host.runtime, () => void this.#goOn())
    const isHeld = whileHeld(host, kind, row.lane, hold)
    this.#waiting = new WaitingEffects(host, kind, row.lane, isHeld, (key) => this.#window.isUnderWay(key))
    this.#window = new Window(atOnce, (key) => this.#waiting.holdsBack(key))
    this.#loader = new Loader(host, kind, lanes, this.#window, isHeld, this)
  }

  get hasReady(): boolean {
    return this.#window.hasReady && this.#isGiving
  }

  /** What is committed of it. */
  get progress(): Progress {
    return this.#progress
  }

  /** Somebody else holds it by now, or nobody. */
  get isOver(): boolean {
    return this.#isOver
  }

  get isRetiring(): boolean {
    return this.#isRetiring
  }

  get #isGiving(): boolean {
    return !this.#isOver && !this.#isRetiring
  }

  /** It has passed segments that its row does not tell of yet, such as those without an effect for it. */
  get isAhead(): boolean {
    return this.#window.isAhead(this.#progress)
  }

  /** When one of those that wait is due next. */
  get nextDueMs(): number {
    return Math.min(this.#waiting.nextDueMs ?? Infinity, this.#window.nextDueMs ?? Infinity)
  }

  async begin(): Promise<void> {
    try {
      await this.#waiting.load()
      const living = await livingEpochs(this.#host, this.#kind)
      this.#progress = new Map([...this.#progress].filter(([epoch]) => living.has(epoch)))
    } catch (error) {
      this.#lose()
      throw error
    }
    this.#isLoading = false
    await this.load()
  }

  /** Looks for all that others may have changed, also rows of its own. */
  async look(): Promise<void> {
    if (!this.#isGiving) return
    await this.#waiting.findNextDue()
    await this.load()
  }

  /** Loads the segments that are new. */
  async load(): Promise<void> {
    this.#mustLoad ||= this.#isLoading
    if (this.#isLoading || !this.#isGiving || this.#window.isFull || this.#waiting.isFull) return
    this.#isLoading = true
    try {
      if (!(await this.#loader.load())) return this.#lose()
    } finally {
      this.#isLoading = false
    }
    if (!this.#mustLoad) return
    this.#mustLoad = false
    await this.load()
  }

  /** Its loader has put more into the window. */
  loaded(): void {
    if (this.#window.hasHeld) this.#move()
    if (this.#window.hasReady) this.#events.onReady()
  }

  take(max: number): Item[] {
    if (!this.#isGiving) return []
    const { items, superseded } = this.#window.take(max)
    for (const [newest, older] of superseded) this.#superseded.set(newest.effect.id, older)
    if (this.#window.hasHeld) this.#move()
    return items
  }

  /** Lets go on what is due, and takes those of it that have rows of their own. */
  async takeDue(max: number): Promise<Item[]> {
    const { nextDueMs } = this.#waiting
    const nowMs = this.#host.runtime.wallMs()
    this.#window.letDueOn(nowMs)
    if (!this.#isGiving || nextDueMs === undefined || nextDueMs > nowMs) return []
    return await this.#waiting.takeDue(nowMs, max)
  }

  /** Taken, and not tried after all. */
  putBack(items: readonly Item[]): void {
    for (const item of items.filter(({ slot }) => slot !== undefined)) {
      const together = [...(this.#superseded.get(item.effect.id) ?? []), item]
      this.#superseded.delete(item.effect.id)
      this.#window.putBack(together.slice(0, 1))
      this.#window.fallBehind(together.slice(1))
    }
    for (const { effect } of items.filter(({ slot }) => slot === undefined)) {
      this.#waiting.release(effect.id)
      this.#waiting.dueBy(0)
    }
  }

  /** What their handler said of effects that were taken. What failed for the first time is soon tried again from here. */
  answered(settled: readonly Settled[]): void {
    const others = settled.filter((one) => !this.#parks(one))
    if (others.length > 0) this.settle(others)
  }

  /** That it failed is forgotten if this engine ends meanwhile: so once, and not again. */
  #parks({ item, settlement }: Settled): boolean {
    const { effect, failures, slot } = item
    if (settlement.kind !== 'retry' || !settlement.isAttempt || failures > 0 || slot === undefined)
      return false
    if (this.#superseded.has(effect.id) || this.#isOver) return false
    item.dueAtMs = settlement.dueAtMs
    if (!this.#window.park(item, this.#host.runtime.wallMs())) return false
    item.failures = 1
    item.effect = { ...effect, attempt: effect.attempt + 1 }
    this.#events.onRetried()
    return true
  }

  /** What became of effects that were taken. */
  settle(settled: readonly Settled[]): void {
    for (const { item, settlement } of settled)
      if (settlement.kind !== 'delivered' && this.#superseded.has(item.effect.id))
        this.#repeated.add(item.effect.id)
    this.#settled.push(...settled)
    this.#move()
  }

  /**
   * Delivered after their time was over. It is too late for one that is being tried again, or whose older ones are tried
   * now: it comes again behind them.
   */
  settleLate(settled: readonly Settled[]): void {
    const inTime = settled.filter(
      ({ item: { effect } }) => !this.#repeated.has(effect.id) && this.#waiting.withhold(effect),
    )
    for (const { item } of inTime) this.#late.add(item)
    this.settle(inTime)
  }

  /** Shows that the holder lives, and tells how far it has come. */
  beat(): void {
    this.#move()
  }

  /** Somebody changed rows of its own: they may be due. */
  noticeRows(): void {
    this.#waiting.dueBy(0)
  }

  /** Gives nothing out any more, since another is to have it. */
  retire(): void {
    this.#isRetiring = true
  }

  /** Commits what is settled, and lets others have the lane. Nothing may be out. */
  async letGo(): Promise<void> {
    if (this.#isOver) return
    this.#move()
    await this.#moving
    if (this.#isOver) return
    this.#isOver = true
    await letLaneGo(this.#host, this.#kind, this.number, this.#hold, this.#progress)
  }

  #move(): void {
    this.#mustMove = true
    if (this.#isMoving || this.#isOver) return
    this.#isMoving = true
    this.#moving = this.#moveWhileNeeded()
  }

  async #moveWhileNeeded(): Promise<void> {
    try {
      while ((this.#mustMove || this.#settled.length > 0 || this.#window.hasHeld) && !this.#isOver) {
        this.#mustMove = false
        const waiting = this.#window.takeHeld().map((item) => new Settled(item, held))
        const settled = this.#settled.splice(0, this.#alone > 0 ? 1 : settledTogether)
        await this.#commit(waiting.concat(settled))
      }
    } catch (error) {
      // The engine has stopped, or the lane's row could not be read: whatever was not committed is delivered again by
      // whoever takes the lane next.
      this.#lose()
      this.#events.onTrouble(error)
    }
    // At once with the last look at what there is to commit, so that nothing settled in between is left lying.
    this.#isMoving = false
  }

  async #commit(settled: Settled[]): Promise<void> {
    const nowMs = Math.floor(this.#host.runtime.wallMs())
    const runs = new OwnRuns()
    const all = this.#withSuperseded(settled)
    const finishing = all.map(({ item }) => item)
    const progress = this.#window.progressWith(this.#progress, finishing)
    const hold = moveLane(runs, this.#host, this.#kind, this.number, this.#hold, progress)
    for (const one of all) addSettlement(runs, this.number, one, nowMs)
    const refusal = await this.#host.commit(runs.runs, writesOf(settled))
    if (refusal !== undefined) return await this.#refused(settled, refusal)
    this.#hold = hold
    this.#progress = progress
    this.#alone = Math.max(0, this.#alone - settled.length)
    this.#noteWaiting(all, nowMs)
    this.#window.finish(finishing, nowMs)
    if (this.#superseded.size > 0) for (const { item } of settled) this.#superseded.delete(item.effect.id)
    this.#window.forget(progress)
    this.#loader.forget()
    this.#events.onSettled(settled)
    this.#goingOn.ask()
  }

  async #goOn(): Promise<void> {
    await this.#host.sent()
    this.load().catch((error: unknown) => this.#events.onTrouble(error))
    this.#events.onReady()
  }

  /** Either the lane is another's by now, or something in it may not be committed. */
  async #refused(settled: Settled[], refusal: Error): Promise<void> {
    const row = (await readLanes(this.#host, this.#kind)).find(({ lane }) => lane === this.number)
    const { token, beat } = this.#hold
    if (row === undefined || row.owner !== this.#host.epoch || row.token !== token || row.beat !== beat)
      return this.#lose()
    const [only, ...others] = settled
    if (only === undefined) return this.#lose()
    const { key, id } = only.item.effect
    // An attempt that ended late was quicker.
    const isRowGone =
      others.length === 0 && only.item.slot === undefined && !(await this.#waiting.has(only.item))
    if (others.length > 0) {
      this.#alone = settled.length + this.#settled.length
      this.#settled.unshift(...settled)
    } else if (isRowGone || this.#late.has(only.item)) {
      if (isRowGone) this.#waiting.remove(key, id)
      else this.#waiting.release(id)
      this.#alone = Math.max(0, this.#alone - 1)
      this.#events.onReady()
    } else if (only.settlement.kind === 'dead') {
      // Whatever was to be written with it: given up it is.
      this.#settled.unshift(new Settled(only.item, { ...only.settlement, write: undefined }))
      this.#events.onTrouble(refusal)
    } else {
      this.#settled.unshift(this.#events.onWriteRefused(only, refusal))
    }
  }

  #lose(): void {
    this.#isOver = true
    this.#events.onLost(this)
  }

  /** Those that it makes superfluous are finished with it; if it was not delivered, they wait for their turn before it. */
  #withSuperseded(settled: readonly Settled[]): readonly Settled[] {
    if (this.#superseded.size === 0) return settled
    return settled.flatMap((one) => {
      const settlement = one.settlement.kind === 'delivered' ? delivered : held
      const older = this.#superseded.get(one.item.effect.id) ?? []
      return [...older.map((item) => new Settled(item, settlement)), one]
    })
  }

  #noteWaiting(settled: readonly Settled[], nowMs: number): void {
    for (const { item, settlement } of settled) {
      const { id, key } = item.effect
      // One of its key may have been redriven while this was under way.
      if (key !== undefined && this.#waiting.holdsBack(key)) this.#waiting.letOn(nowMs)
      if (settlement.kind === 'delivered' || settlement.kind === 'dead') {
        if (this.#repeated.size > 0) this.#repeated.delete(id)
        if (item.slot === undefined) this.#waiting.remove(key, id)
      } else {
        this.#waiting.add(key, id)
        // A row that is new may have been taken already, before this was told of its commit.
        if (item.slot === undefined) this.#waiting.release(id)
        this.#waiting.dueBy(settlement.kind === 'retry' ? settlement.dueAtMs : item.dueAtMs)
      }
    }
  }
}
