/** What is known of every effect, engine and call at one moment of a history. */
import type { EngineId } from '../history.ts'
import type { EffectsContents, EventOf, KeptEffect, WrittenEffect } from './history.ts'
import type { EffectsOpening } from './program.ts'

export interface EngineRecord {
  readonly engine: EngineId
  readonly process: number
  readonly epoch: number
  readonly opening: EffectsOpening
  readonly openedAt: number
  /** The event at which it died, was closed, or stopped; or began to. */
  endedAt: number | undefined
  isClosing: boolean
  /** Some handler of its own has returned, so that it may know that the target is up. */
  wasAnswered: boolean
}

export interface CallRecord {
  readonly call: number
  readonly by: EngineRecord
  readonly startedAt: number
  readonly startedMs: number
  readonly effects: readonly EffectRecord[]
  isAborted: boolean
  /** Its answer, at the event. */
  answeredAt: number | undefined
  outcomes: readonly string[] | undefined
}

export interface Delivery {
  readonly at: number
  readonly call: CallRecord
}

export interface EffectRecord extends WrittenEffect {
  readonly epoch: number
  readonly seq: number
  readonly isBad: boolean
  /** In the order of commits; undefined: not committed. */
  committedAt: number | undefined
  committedMs: number
  isDurable: boolean
  version: number | undefined
  readonly deliveries: Delivery[]
  readonly calls: CallRecord[]
  /** How many of its calls were made before it was redriven last. */
  callsBeforeRedrive: number
  redrives: number
  acks: number
  ackedAt: number | undefined
  deadAcks: number
  kept: KeptEffect | undefined
  /** Events at which it became dead. */
  readonly diedAt: number[]
}

/** Where a lane was seen last, and since when. */
export interface LaneRecord {
  readonly owner: number
  readonly token: number
  readonly beat: number
  readonly leaseMs: number
  readonly changedMs: number
}

export interface Taking {
  readonly at: number
  /** The epoch of whoever took it. */
  readonly by: number
  readonly lane: number
}

export class EffectsLedger {
  readonly engines: Map<EngineId, EngineRecord> = new Map()
  readonly effects: Map<number, EffectRecord> = new Map()
  readonly byId: Map<string, EffectRecord> = new Map()
  readonly byKey: Map<string, EffectRecord[]> = new Map()
  readonly calls: Map<number, CallRecord> = new Map()
  readonly lanes: Map<number, LaneRecord> = new Map()
  /** Of whichever lane: who took it when. */
  readonly takings: Taking[] = []
  /** Events at which a commit ended and its engine was not told how. */
  readonly lostReplies: number[] = []
  /** By epoch, the effects that are not committed yet, in order. */
  readonly #awaited = new Map<number, EffectRecord[]>()
  #watermarks = new Map<number, number>()

  open({ engine, process, epoch, opening }: EventOf<'opened'>, at: number): void {
    this.engines.set(engine, {
      engine,
      process,
      epoch,
      opening,
      openedAt: at,
      endedAt: undefined,
      isClosing: false,
      wasAnswered: false,
    })
  }

  end(which: (engine: EngineRecord) => boolean, at: number): void {
    for (const engine of this.engines.values()) if (which(engine)) engine.endedAt ??= at
  }

  engineOf(epoch: number): EngineRecord | undefined {
    return [...this.engines.values()].findLast((engine) => engine.epoch === epoch)
  }

  write({ engine, operations }: EventOf<'written'>, atMs: number, at: number): void {
    const epoch = this.engines.get(engine)?.epoch ?? 0
    for (const { seq, isBad, effects } of operations)
      for (const written of effects) this.#add(written, epoch, seq, isBad)
    // A commit may be seen before whoever made the call is told.
    this.#settle(atMs, at)
  }

  #add(written: WrittenEffect, epoch: number, seq: number, isBad: boolean): void {
    const effect: EffectRecord = {
      ...written,
      epoch,
      seq,
      isBad,
      committedAt: undefined,
      committedMs: 0,
      isDurable: false,
      version: undefined,
      deliveries: [],
      calls: [],
      callsBeforeRedrive: 0,
      redrives: 0,
      acks: 0,
      ackedAt: undefined,
      deadAcks: 0,
      kept: undefined,
      diedAt: [],
    }
    this.effects.set(written.number, effect)
    this.byId.set(written.id, effect)
    if (!isBad) this.#awaited.set(epoch, [...(this.#awaited.get(epoch) ?? []), effect])
    if (written.key !== undefined)
      this.byKey.set(written.key, [...(this.byKey.get(written.key) ?? []), effect])
  }

  commit({ tidemarks, kept }: EffectsContents, atMs: number, at: number, hasGoneBack = false): void {
    this.#watermarks = new Map(tidemarks.map(([epoch, watermark]) => [epoch, watermark]))
    this.#settle(atMs, at)
    const found = new Map(kept.map((row) => [row.id, row]))
    for (const effect of this.byId.values()) {
      const row = found.get(effect.id)
      if (row?.state === 'dead' && effect.kept?.state !== 'dead') effect.diedAt.push(at)
      if (row?.state === 'waiting' && effect.kept?.state === 'dead' && !hasGoneBack) {
        effect.redrives++
        effect.callsBeforeRedrive = effect.calls.length
      }
      // A redrive that is not there any more leaves the attempts before it.
      if (hasGoneBack)
        effect.callsBeforeRedrive = Math.min(
          effect.callsBeforeRedrive,
          effect.calls.length - (row?.attempts ?? 0),
        )
      effect.kept = row
    }
  }

  #settle(atMs: number, at: number): void {
    for (const [epoch, awaited] of this.#awaited) {
      const watermark = this.#watermarks.get(epoch) ?? 0
      const committed = awaited.filter(({ seq }) => seq <= watermark)
      if (committed.length === 0) continue
      for (const effect of committed) {
        effect.committedAt = at
        effect.committedMs = atMs
      }
      this.#awaited.set(epoch, awaited.slice(committed.length))
    }
  }

  synced(): void {
    for (const effect of this.effects.values()) effect.isDurable ||= effect.committedAt !== undefined
  }

  /** What is not there any more never was. */
  goBack(contents: EffectsContents, atMs: number, at: number): void {
    const marks = new Map(contents.tidemarks.map(([epoch, watermark]) => [epoch, watermark]))
    for (const effect of this.effects.values()) {
      if (effect.seq > (marks.get(effect.epoch) ?? 0)) effect.committedAt = undefined
      effect.acks = effect.deadAcks = 0
      effect.ackedAt = undefined
    }
    this.lanes.clear()
    this.commit(contents, atMs, at, true)
  }

  call({ engine, call, effects }: EventOf<'call'>, startedMs: number, startedAt: number): CallRecord {
    const by = this.engines.get(engine) as EngineRecord
    const known = effects.flatMap(({ number }) => this.effects.get(number) ?? [])
    const record: CallRecord = {
      call,
      by,
      startedAt,
      startedMs,
      effects: known,
      isAborted: false,
      answeredAt: undefined,
      outcomes: undefined,
    }
    this.calls.set(call, record)
    for (const effect of known) effect.calls.push(record)
    return record
  }

  /** Both are committed, and have one key. */
  isBefore(one: EffectRecord, other: EffectRecord): boolean {
    const [a, b] = [one.committedAt ?? Infinity, other.committedAt ?? Infinity]
    if (a !== b) return a < b
    if (one.seq !== other.seq) return one.seq < other.seq
    return one.number < other.number
  }

  /** Those of its key that are committed and behind it, the next first. */
  after(effect: EffectRecord): EffectRecord[] {
    if (effect.key === undefined) return []
    return (this.byKey.get(effect.key) ?? [])
      .filter((other) => other.committedAt !== undefined && this.isBefore(effect, other))
      .toSorted((a, b) => (this.isBefore(a, b) ? -1 : 1))
  }

  /** A later one that makes it superfluous fulfils `isEnough`. */
  isSuperseded(effect: EffectRecord, isEnough: (later: EffectRecord) => boolean): boolean {
    if (!effect.planned.isLatestOnly) return false
    for (const later of this.after(effect)) {
      if (!later.planned.isLatestOnly) return false
      if (isEnough(later)) return true
    }
    return false
  }
}
