/**
 * Judges reads: what they show must be the database after some commit, and one that holds what the level, the session,
 * the bookmarks and the processors ask for. Laws 6 and 10.
 */
import { countOn, foldOf } from './fold-model.ts'
import { merge, nothing, type Knowledge } from './knowledge.ts'
import type { EngineId, Ending, EventOf, Rows } from './history.ts'
import type { EngineRecord, Ledger, State } from './ledger.ts'
import type { WriteId } from './program.ts'
import type { Report } from './violation.ts'

interface Demand extends Knowledge {
  readonly engine: EngineRecord
  readonly atMs: number
  readonly timeoutMs: number
  /** The state when it began. */
  readonly from: number
  readonly event: EventOf<'read' | 'get' | 'catch-up'>
  /** For `get`: what was accepted when it began, and what was known to be committed. */
  readonly captured: number
  readonly known: number
  /** Writes of which a processor made something, that must be there. */
  readonly works: readonly number[]
  readonly hadLost: boolean
  readonly isRedriving: boolean
  /** The session that it is made in: where that has gone meanwhile is another. */
  readonly stay: Knowledge | undefined
}

/** Which positions a read looks for in its snapshot. */
interface Asked {
  readonly own: boolean
  /** Those too that were seen to be committed, before the database went back. */
  readonly committedOnce: boolean
}

const failures = new Set([
  'STALE_READ',
  'POSITION_LOST',
  'WRITE_REJECTED',
  'HISTORY_LOST',
  'PROCESSOR_FAILED',
  'INVALID_BOOKMARK',
  'CLOSED',
  'FENCED',
  'GAVE_UP',
  'DEADLINE_PASSED',
  'STORE_FAILED',
])

export class ReadJudge {
  readonly #ledger: Ledger
  readonly #report: Report
  readonly #demands = new Map<number, Demand>()
  readonly #sessions = new Map<string, Knowledge>()
  readonly #bookmarks = new Map<number, Knowledge>()
  readonly #works = new Map<EngineRecord, { readonly key: string; readonly write: number }[]>()

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger
    this.#report = report
  }

  judge(
    event: EventOf<
      'work' | 'read' | 'read-ended' | 'get' | 'get-ended' | 'took' | 'session' | 'catch-up' | 'caught-up'
    >,
  ): void {
    switch (event.kind) {
      case 'work': {
        const engine = this.#ledger.engine(event.engine)
        const works = this.#works.get(engine) ?? []
        return void this.#works.set(engine, [...works, { key: event.key, write: event.write }])
      }
      case 'get':
        this.#judgeCount(event)
        return void this.#demands.set(event.call, this.#demandOf(event))
      case 'read':
      case 'catch-up':
        return void this.#demands.set(event.call, this.#demandOf(event))
      case 'read-ended':
        return this.#judgeRead(event, this.#demands.get(event.call) as Demand)
      case 'get-ended':
        return this.#judgeGet(event, this.#demands.get(event.call) as Demand)
      case 'caught-up':
        return this.#judgeCatchUp(event, this.#demands.get(event.call) as Demand)
      case 'took':
        return void this.#bookmarks.set(event.bookmark, this.#knowledgeTaken(event))
      case 'session':
        if (event.from === undefined) this.#sessions.set(event.session, nothing())
        else merge(this.#session(event.session), this.#bookmarks.get(event.from))
    }
  }

  /** A write of a session raises what it asks for. */
  accepted({ session, engine, last, write }: EventOf<'accepted'>): void {
    if (session === undefined) return
    this.#requireNotAhead(session, engine, write)
    merge(this.#session(session), { positions: new Map([[this.#ledger.engine(engine), last]]), seenAt: 0 })
  }

  /** It could be committed before what it follows in another engine. */
  #requireNotAhead(session: string, own: EngineId, write: WriteId): void {
    for (const [engine, seq] of this.#session(session).positions)
      if (engine.opened.engine !== own && engine.committed < seq)
        this.#report(
          6,
          `write ${write} was accepted ahead of ${seq} of engine ${engine.opened.engine}, which its session follows`,
        )
  }

  #session(name: string): Knowledge {
    const known = this.#sessions.get(name) ?? nothing()
    this.#sessions.set(name, known)
    return known
  }

  #knowledgeTaken({ session, write }: EventOf<'took'>): Knowledge {
    const taken = nothing()
    if (session !== undefined) merge(taken, this.#session(session))
    for (const engine of this.#ledger.engines.values()) {
      const accepted = write === undefined ? undefined : engine.byWrite.get(write)
      if (accepted) taken.positions.set(engine, accepted.last)
    }
    return taken
  }

  #demandOf(event: EventOf<'read' | 'get' | 'catch-up'>): Demand {
    const engine = this.#ledger.engine(event.engine)
    const asked = nothing()
    const isEventual = event.kind === 'read' && event.level === 'eventual'
    if (event.session !== undefined && !isEventual) merge(asked, this.#session(event.session))
    if (event.kind === 'read' && !isEventual) {
      for (const bookmark of event.after) merge(asked, this.#bookmarks.get(bookmark))
      const isAlone = event.session === undefined && event.after.length === 0
      if (event.level === 'strong' || isAlone)
        merge(asked, { positions: new Map([[engine, engine.last]]), seenAt: 0 })
      if (event.level === 'strong') asked.seenAt = this.#ledger.now
    }
    const works =
      event.kind === 'read' && event.level === 'strong'
        ? (this.#works.get(engine) ?? []).filter(({ key }) => event.keys.includes(key))
        : []
    return {
      ...asked,
      engine,
      event,
      atMs: event.atMs,
      timeoutMs: 'timeoutMs' in event ? event.timeoutMs : 50,
      from: this.#ledger.now,
      captured: engine.last,
      known: engine.known,
      works: works.map(({ write }) => write),
      hadLost: engine.hasLostHistory,
      isRedriving: engine.redrives.length > 0,
      stay: event.session === undefined ? undefined : this.#session(event.session),
    }
  }

  #judgeRead({ rows, seen, ending, atMs }: EventOf<'read-ended'>, demand: Demand): void {
    if (!rows) return this.#judgeFailure(ending, demand, atMs)
    const { engine, event } = demand
    // `read` alone does not look whether the database went back; `query` does, and must not show it.
    if (seen && demand.hadLost)
      return this.#report(10, 'a query showed rows of a database that had lost what its engine knew')
    const states = this.#candidates()
    const shown = states.filter(({ state }) => showsRows(state, rows))
    const name = `the ${event.kind === 'read' ? event.level : ''} read of call ${event.call}`
    if (shown.length === 0) return this.#report(6, `${name} showed what the database never held`)
    const told = seen
      ? shown.filter(({ state }) => seen.every(({ epoch, seq }) => state.tidemarks.get(epoch)?.seq === seq))
      : shown
    if (told.length === 0)
      return this.#report(6, `${name} told that it had seen ${JSON.stringify(seen)}, with other rows`)
    // What it knows to have been committed once, `read` does not ask for again.
    const asked: Asked = { own: true, committedOnce: seen !== undefined }
    const fresh = told.find(({ at, state }) => this.#holds(state, at, demand, asked))
    const isExcused = !seen && engine.hasLostHistory
    if (!fresh && !isExcused)
      return this.#report(6, `${name} did not show ${this.#missing(told.at(-1)?.state, demand)}`)
    if (fresh && demand.stay) this.#saw(demand.stay, fresh.at)
  }

  #judgeGet({ n, pending, ending, atMs }: EventOf<'get-ended'>, demand: Demand): void {
    if (ending.kind !== 'committed') return this.#judgeFailure(ending, demand, atMs)
    const { engine, event } = demand
    // Nobody knows where a redrive stands that is under way.
    if (event.kind !== 'get') return
    if (engine.redrives.length > 0 || demand.isRedriving) {
      if (demand.stay && pending) demand.stay.isVague = true
      return
    }
    if (demand.hadLost)
      return this.#report(10, 'get showed a row of a database that had lost what its engine knew')
    let shown = 0
    // The same row may be that of more operations than it surely shows.
    let isVague = false
    const fits = this.#candidates().find(({ at, state }) => {
      if (at < demand.from || !this.#holds(state, at, demand, { own: false, committedOnce: false }))
        return false
      const tidemark = this.#ledger.tidemarkOf(engine, state)
      if (tidemark < demand.known) return false
      const row = state.model.cells.get(event.key)
      // Of an engine that has stopped nothing is pending any more.
      if (engine.isOver && !pending && row === n) return true
      // What was accepted while it waited may be shown, but never without what was accepted before that.
      let hasFit = false
      for (let captured = demand.captured; captured <= engine.last; captured++) {
        const folded = foldOf(engine, event.key, row, tidemark, captured)
        if (folded === undefined || folded.n !== n || folded.pending !== pending) continue
        if (shown === 0) shown = folded.shown
        else if (folded.shown > shown) isVague = true
        hasFit = true
      }
      return hasFit
    })
    if (!fits)
      return this.#report(
        6,
        `get of "${event.key}" in call ${event.call} showed ${n}${pending ? ' as pending' : ''}`,
      )
    if (!demand.stay) return
    if (pending) merge(demand.stay, { positions: new Map([[engine, shown]]), seenAt: 0, isVague })
    else this.#saw(demand.stay, fits.at)
  }

  /** What is pending on a row: at least what is not committed, at most what is not known to be. */
  #judgeCount({ engine: id, key, counted }: EventOf<'get'>): void {
    const engine = this.#ledger.engine(id)
    if (counted === undefined || engine.redrives.length > 0 || engine.hasLostHistory) return
    const least = countOn(engine, key, engine.committed)
    const most = countOn(engine, key, engine.known)
    if (counted < least || counted > most)
      this.#report(
        6,
        `${counted} operations are told to be pending on "${key}", and must be ${least} to ${most}`,
      )
  }

  #judgeCatchUp({ ending, atMs }: EventOf<'caught-up'>, demand: Demand): void {
    if (ending.kind !== 'committed') return this.#judgeFailure(ending, demand, atMs)
    // What this engine itself will commit in order needs no waiting for.
    for (const [engine, seq] of demand.positions)
      if (
        engine !== demand.engine &&
        this.#ledger.tidemarkOf(engine, this.#ledger.current) < seq &&
        this.#ledger.wentBackAt === 0
      )
        return this.#report(
          6,
          `caughtUp() returned before ${seq} of engine ${engine.opened.engine} was committed`,
        )
    if (demand.stay) this.#saw(demand.stay, 0)
  }

  #judgeFailure({ code, storeCode }: Ending, demand: Demand, atMs: number): void {
    // It may have seen others before it failed.
    if (demand.stay) this.#saw(demand.stay, 0)
    if (code === undefined || !failures.has(code))
      return this.#report(6, `a read failed with ${code ?? storeCode}`)
    if (code === 'STALE_READ' && atMs - demand.atMs < demand.timeoutMs - 0.001)
      return this.#report(6, `a read gave up after ${atMs - demand.atMs} of ${demand.timeoutMs} ms`)
    if (code === 'POSITION_LOST' && this.#ledger.wentBackAt === 0 && !demand.isVague) {
      const isLost = [...demand.positions].some(([engine, seq]) => {
        const tidemark = this.#ledger.current.tidemarks.get(engine.opened.epoch)
        return tidemark !== undefined && tidemark.seq < seq
      })
      if (!isLost) this.#report(6, 'a read said that a position is lost, and all that it asked for is there')
    }
  }

  /** All states, with their numbers: `#holds` says which of them a read could have seen. */
  #candidates(): { readonly at: number; readonly state: State }[] {
    return this.#ledger.states.map((state, at) => ({ at, state }))
  }

  #holds(state: State, at: number, demand: Demand, asked: Asked): boolean {
    const { wentBackAt } = this.#ledger
    if (demand.from >= wentBackAt && at < wentBackAt) return false
    if (at < demand.seenAt && demand.seenAt >= wentBackAt) return false
    for (const [engine, seq] of demand.positions) {
      if (!asked.own && engine === demand.engine) continue
      if (!asked.committedOnce && wentBackAt > 0 && engine.committed >= seq) continue
      if (this.#ledger.tidemarkOf(engine, state) < seq) return false
    }
    return demand.engine.isOver || demand.works.every((write) => this.#hasWork(demand.engine, write, state))
  }

  #hasWork(engine: EngineRecord, write: number, state: State): boolean {
    const made = engine.byWrite.get(-write)
    return made !== undefined && this.#ledger.tidemarkOf(engine, state) >= made.last
  }

  #missing(state: State | undefined, { positions, works, seenAt }: Demand): string {
    const missing = [...positions]
      .filter(([engine, seq]) => !state || this.#ledger.tidemarkOf(engine, state) < seq)
      .map(([engine, seq]) => `position ${seq} of engine ${engine.opened.engine}`)
    return [...missing, `works ${works.join(', ')}`, `the state of commit ${seenAt}`].join(' or ')
  }

  #hasEndedWith(engine: EngineRecord, seq: number): boolean {
    // An engine that closes ends its epoch by itself, without a commit that could be looked at.
    if (engine.isOver && engine.committed >= seq) return true
    return this.#ledger.states.some(({ tidemarks }) => {
      const tidemark = tidemarks.get(engine.opened.epoch)
      return tidemark?.isClosed === true && tidemark.seq >= seq
    })
  }

  #saw(known: Knowledge, at: number): void {
    known.seenAt = Math.max(known.seenAt, at)
    // What an ended epoch has committed needs no proof any more (ADR 9): it is not in the session's bookmark.
    for (const [engine, seq] of known.positions)
      if (this.#hasEndedWith(engine, seq)) known.positions.delete(engine)
  }
}

function showsRows({ model }: State, { cells, results, log }: Rows): boolean {
  if (model.log.length !== log.length || log.some((write, index) => write !== model.log[index])) return false
  return isSame(model.cells, cells) && isSame(model.results, results)
}

function isSame(map: ReadonlyMap<string, number>, shown: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(shown)
  return keys.length === map.size && keys.every((key) => map.get(key) === shown[key])
}
