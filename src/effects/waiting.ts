/**
 * The effects of a lane that have rows of their own and wait: which keys they hold back, and which of them are due.
 *
 * Keeps: law 8 (of one key, the oldest that waits goes first, and newer ones of the outbox stay behind it), law 7 (a lane
 * in which too many wait takes nothing new; and no more are given out than are soon committed).
 */
import type { Effect } from '../contracts/effect.ts'
import type { Json } from '../contracts/values.ts'
import type { EffectsHost } from './host.ts'
import type { Own } from '../sql/text.ts'
import { effectId, type EffectPlace } from '../segments.ts'
import type { Condition } from './lease.ts'
import { Item, LaneEffect, placeIn, writerOf } from './item.ts'

type Asked = Pick<EffectsHost, 'ask' | 'runtime'>

/** In the order in which they are taken. */
interface DuePlace {
  readonly dueAtMs: number
  readonly version: number
}

const beforeAll: DuePlace = { dueAtMs: -1, version: -1 }

/** Keys of effects that wait are kept in memory, so many at most. */
const maxWaiting = 100_000
/** Two commits of a lane: what became of one half is committed while the other is delivered. */
const mostUnderWay = 8_192

export class WaitingEffects {
  readonly #host: Asked
  readonly #kind: string
  readonly #lane: number
  readonly #isHeld: Condition
  /** Ids by key. */
  readonly #byKey = new Map<string, Set<string>>()
  /** Ids with their keys. */
  readonly #running = new Map<string, string | undefined>()
  readonly #isUnderWay: (key: string) => boolean
  /** Those that ended while it is looked for what is due: the answer may be older. Undefined: nobody looks. */
  #ended: Set<string> | undefined
  #count = 0
  /** More wait than are kept in memory: until those are known too, nothing new is taken. */
  #isPartial = false
  #nextDueMs: number | undefined
  /** What was due up to here when it was last looked is under way, or waits behind an older one of its key. */
  #passed: DuePlace = beforeAll
  /** Something may be due from here on that was not when it was last looked. */
  #toldMs = Infinity

  /** @param isUnderWay whether one of this key that has no row is being delivered */
  constructor(
    host: Asked,
    kind: string,
    lane: number,
    isHeld: Condition,
    isUnderWay: (key: string) => boolean,
  ) {
    this.#host = host
    this.#kind = kind
    this.#lane = lane
    this.#isHeld = isHeld
    this.#isUnderWay = isUnderWay
  }

  get isFull(): boolean {
    return this.#isPartial || this.#count >= maxWaiting
  }

  /** Nothing is to be taken before; undefined: nothing waits, or as many as may be are under way. */
  get nextDueMs(): number | undefined {
    return this.#running.size < mostUnderWay ? this.#nextDueMs : undefined
  }

  holdsBack(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Those that an earlier holder of the lane left. */
  async load(): Promise<void> {
    const rows = await this.#host.ask(
      `SELECT epoch, seq, n, effect_key FROM tidemark_effects
       WHERE kind = ? AND lane = ? AND state = 'waiting' AND effect_key IS NOT NULL LIMIT ?`,
      [this.#kind, this.#lane, maxWaiting],
    )
    for (const row of rows) this.add(String(row['effect_key']), effectId(placeIn(row)))
    this.#isPartial = rows.length === maxWaiting
    await this.findNextDue()
  }

  /** Whether its row is there. */
  async has({ epoch, seq, n }: EffectPlace): Promise<boolean> {
    const rows = await this.#host.ask(
      'SELECT 1 FROM tidemark_effects WHERE epoch = ? AND seq = ? AND n = ?',
      [epoch, seq, n],
    )
    return rows.length > 0
  }

  add(key: string | undefined, id: string): void {
    if (key === undefined) return
    const ids = this.#byKey.get(key) ?? new Set()
    if (ids.has(id)) return
    this.#byKey.set(key, ids.add(id))
    this.#count++
  }

  /** It was delivered, or is dead. */
  remove(key: string | undefined, id: string): void {
    this.release(id)
    const ids = key === undefined ? undefined : this.#byKey.get(key)
    if (key === undefined || ids?.delete(id) !== true) return
    this.#count--
    if (ids.size === 0) this.#byKey.delete(key)
  }

  /** It is no longer under way, and waits again. */
  release(id: string): void {
    this.#running.delete(id)
    this.#ended?.add(id)
  }

  /** It is not to be taken, since it is settled by other means. @returns false when it is under way already */
  withhold({ id, key }: Pick<Effect, 'id' | 'key'>): boolean {
    if (this.#running.has(id)) return false
    this.#running.set(id, key)
    return true
  }

  dueBy(dueAtMs: number): void {
    this.#nextDueMs = Math.min(this.#nextDueMs ?? Infinity, dueAtMs)
    this.#toldMs = Math.min(this.#toldMs, dueAtMs)
  }

  /** The oldest of a key has ended: the next may be due, and have been for long. */
  letOn(nowMs: number): void {
    this.dueBy(nowMs)
    this.#toldMs = -1
  }

  /**
   * Those that are due, and none of which waits behind an older one of its key. They count as under way. None when the
   * lane is another's by now: that one may have put them there while they are under way here.
   */
  async takeDue(nowMs: number, max: number): Promise<Item[]> {
    const most = Math.min(max, mostUnderWay - this.#running.size)
    if (this.#ended !== undefined || most <= 0) return []
    this.#ended = new Set()
    try {
      return await this.#takeDue(nowMs, most, this.#ended)
    } finally {
      this.#ended = undefined
    }
  }

  async #takeDue(nowMs: number, max: number, ended: ReadonlySet<string>): Promise<Item[]> {
    const from = this.#toldMs <= this.#passed.dueAtMs ? beforeAll : this.#passed
    this.#toldMs = Infinity
    // Those that are under way are passed over, or are due again, as the answer tells, or it is told.
    const wanted = from === beforeAll ? max + this.#running.size : max
    const rows = await this.#host.ask(dueSql(this.#isHeld), [
      this.#kind,
      this.#lane,
      nowMs,
      from.dueAtMs,
      from.version,
      ...this.#isHeld.parameters,
      wanted,
    ])
    // Before they count as under way: a look that fails leaves nothing so that nobody delivers.
    if (this.#isPartial && this.#count < maxWaiting / 2) await this.load()
    else if (rows.length < wanted) await this.findNextDue(nowMs)
    const running = new Set(this.#running.values())
    const items: Item[] = []
    for (const row of rows) {
      if (items.length === max) break
      const item = this.#itemOf(row)
      const { id, key, version } = item.effect
      this.#passed = { dueAtMs: item.dueAtMs, version }
      if (this.#running.has(id) || ended.has(id)) continue
      // A redriven one is older than what is under way.
      if (key !== undefined && (running.has(key) || this.#isUnderWay(key))) continue
      items.push(item)
      this.add(key, id)
      this.#running.set(id, key)
    }
    return items
  }

  /** @param afterMs what is due before is under way, or behind an older one that will say so */
  async findNextDue(afterMs = -1): Promise<void> {
    // What is told while it is looked for counts beside the answer.
    this.#nextDueMs = undefined
    const [row] = await this.#host.ask(
      `SELECT due_at FROM tidemark_effects WHERE kind = ? AND lane = ? AND state = 'waiting' AND due_at > ?
       ORDER BY due_at LIMIT 1`,
      [this.#kind, this.#lane, afterMs],
    )
    const dueAt = row?.['due_at']
    if (dueAt !== null && dueAt !== undefined) this.dueBy(Number(dueAt))
  }

  #itemOf(row: Record<string, unknown>): Item {
    const place = placeIn(row)
    const failures = Number(row['attempts'])
    const key = row['effect_key']
    const content = {
      kind: this.#kind,
      key: typeof key === 'string' ? key : undefined,
      payload: JSON.parse(String(row['payload'])) as Json,
    }
    const version = Number(row['version'])
    const committedAt = new Date(Number(row['committed_at']))
    const effect = new LaneEffect(place, writerOf(row), content, version, failures + 1, committedAt)
    return new Item(place, effect, Number(row['due_at']), false, failures)
  }
}

/** Those that are due behind a place, and behind no older one of their key. */
function dueSql({ words }: Condition): Own {
  return {
    sql: `SELECT e.epoch, e.seq, e.n, e.effect_key, e.payload, e.version, e.attempts, e.due_at, e.committed_at, w.writer
       FROM tidemark_effects e LEFT JOIN tidemark_writers w ON w.epoch = e.epoch
       WHERE e.kind = ? AND e.lane = ? AND e.state = 'waiting' AND e.due_at <= ?
         AND (e.due_at, e.version) > (?, ?)
         AND (e.effect_key IS NULL OR NOT EXISTS (
           SELECT 1 FROM tidemark_effects o WHERE o.kind = e.kind AND o.effect_key = e.effect_key
             AND o.state = 'waiting' AND o.version < e.version))
         AND ${words.sql}
       ORDER BY e.due_at, e.version LIMIT ?`,
    surrealql: `SELECT epoch, seq, n, effect_key, payload, version, attempts, due_at, committed_at,
         type::record('tidemark_writers', epoch).writer AS writer
       FROM tidemark_effects
       WHERE kind = ? AND lane = ? AND state = 'waiting' AND due_at <= ?
         AND [due_at, version] > [?, ?]
         AND (effect_key IS NULL OR (
           SELECT VALUE version FROM tidemark_effects WHERE kind = $parent.kind
             AND effect_key = $parent.effect_key AND state = 'waiting' AND version < $parent.version LIMIT 1) = [])
         AND ${words.surrealql}
       ORDER BY due_at, version LIMIT ?`,
  }
}
