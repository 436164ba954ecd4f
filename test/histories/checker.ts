/**
 * Decides from a history whether every read meant what it said, and every session had its four guarantees.
 *
 * It goes through the events in the order of time. When a call begins, it notes what that must include: all that
 * was surely known by then, since it had ended before. When the call ends, it compares. So it never blames a call
 * for what happened beside it, and what it reports is broken whatever the order of things that overlap.
 */
import { checkFinal, FinalOrder } from './final-order.ts'
import {
  sessionOf,
  type Got,
  type History,
  type HistoryEvent,
  type Included,
  type Read,
  type Took,
  type WriteId,
  type Written,
} from './history.ts'
import { judgeGet } from './judge-get.ts'
import { judgeRead, type Demand } from './judge-read.ts'
import { checkRejections } from './judge-rejections.ts'
import { judgeCatchUp, judgeWrite } from './judge-write.ts'
import { addAll, Knowledge } from './knowledge.ts'
import type { Report, Violation } from './violation.ts'

/** @returns what is broken, nothing for a history as it should be */
export function check(history: History): Violation[] {
  const violations: Violation[] = []
  const report: Report = (kind, message, events) => violations.push({ kind, message, events })
  const order = new FinalOrder(history)
  checkFinal(history, order, report)
  new Sweep(order, report).run(history.events)
  checkRejections(history.events, order, report)
  return violations
}

interface Bookmark {
  /** Where it was taken. */
  readonly process: number
  readonly session: string | undefined
  readonly knowledge: Knowledge
}

class Sweep {
  readonly #order: FinalOrder
  readonly #report: Report
  /** By process: what its engine has accepted. */
  readonly #accepted = new Map<number, Set<WriteId>>()
  /** By process: what it was told committed, or has shown. */
  readonly #shown = new Map<number, Set<WriteId>>()
  /** What any process knows to be committed. */
  readonly #committed = new Set<WriteId>()
  readonly #sessions = new Map<string, Knowledge>()
  readonly #bookmarks = new Map<string, Bookmark>()
  readonly #demands = new Map<HistoryEvent, readonly Demand[]>()
  readonly #known = new Map<HistoryEvent, Knowledge>()

  constructor(order: FinalOrder, report: Report) {
    this.#order = order
    this.#report = report
  }

  run(events: readonly HistoryEvent[]): void {
    const moments = events.flatMap((event) => [
      { event, at: event.from, isEnd: false },
      { event, at: event.to, isEnd: true },
    ])
    // At one and the same moment nothing is surely before anything: beginnings first demands the least.
    moments.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd))
    for (const { event, isEnd } of moments) {
      if (isEnd) this.#end(event)
      else this.#begin(event)
    }
  }

  #begin(event: HistoryEvent): void {
    if (event.kind === 'read') this.#demands.set(event, this.#demandsOfRead(event))
    if (event.kind === 'get') this.#demands.set(event, this.#demandsOfGet(event))
    if ('session' in event) this.#known.set(event, this.#knowledgeOf(event).copy())
  }

  #end(event: HistoryEvent): void {
    const demands = this.#demands.get(event) ?? []
    const known = this.#known.get(event) ?? new Knowledge()
    switch (event.kind) {
      case 'write':
        judgeWrite(event, known, this.#order, this.#report)
        return this.#written(event)
      case 'committed': {
        const settled = this.#order.upTo(event.position).filter(({ write }) => !this.#order.isRejected(write))
        return this.#learn(
          event.process,
          settled.map(({ write }) => write),
        )
      }
      case 'read':
        judgeRead(event, demands, this.#order, this.#report)
        if (event.log === undefined || event.error !== undefined) return
        if (event.session !== undefined) addAll(this.#knowledgeOf(event).saw, event.log)
        return this.#learn(event.process, event.log)
      case 'get':
        judgeGet(event, demands, known, this.#order, this.#report)
        return this.#got(event)
      case 'caught-up':
        return judgeCatchUp(event, known, this.#order, this.#report)
      case 'took':
        return this.#took(event)
      case 'included':
        return this.#included(event)
      case 'open':
      case 'close':
      case 'session':
      case 'rejected':
      case 'awaited':
      case 'rejections':
        return undefined
    }
  }

  #written({ write, process, position, session, ...rest }: Written): void {
    if (position === undefined) return
    setOf(this.#accepted, process).add(write)
    if (session !== undefined) this.#knowledgeOf({ process, session, ...rest }).wrote.add(write)
  }

  #got(event: Got): void {
    const { write, pending, process, session } = event
    if (write === undefined) return
    if (session !== undefined) this.#knowledgeOf(event).saw.add(write)
    if (pending === false) this.#learn(process, [write])
  }

  #learn(process: number, writes: Iterable<WriteId>): void {
    const shown = setOf(this.#shown, process)
    for (const write of writes) {
      shown.add(write)
      this.#committed.add(write)
    }
  }

  #took(event: Took): void {
    const knowledge = event.write === undefined ? this.#knowledgeOf(event).copy() : new Knowledge()
    // A position stands for all before it.
    const write = event.write === undefined ? undefined : this.#order.writes.get(event.write)
    if (write)
      addAll(
        knowledge.told,
        this.#order.upTo(write.position).map((one) => one.write),
      )
    this.#bookmarks.set(event.bookmark, {
      process: event.process,
      session: event.write === undefined ? sessionOf(event.session) : undefined,
      knowledge,
    })
  }

  #included(event: Included): void {
    const { process, session, knowledge } = this.#bookmark(event.bookmark)
    const known = this.#knowledgeOf(event)
    if (session !== undefined && session === sessionOf(event.session)) known.continue(knowledge)
    else known.include(knowledge)
    known.isFromElsewhere ||= process !== event.process
  }

  #demandsOfRead(read: Read): Demand[] {
    if (read.level === 'eventual') return []
    const demands = this.#demandsOfSession(read)
    for (const bookmark of read.after)
      demands.push({ kind: 'bookmark', writes: this.#bookmark(bookmark).knowledge.all() })
    const accepted = new Set(setOf(this.#accepted, read.process))
    if (read.level === 'strong' || demands.length === 0)
      demands.push({ kind: 'own-accepted', writes: accepted })
    if (read.level === 'strong') demands.push({ kind: 'others-committed', writes: new Set(this.#committed) })
    return demands
  }

  #demandsOfGet(get: Got): Demand[] {
    return [
      { kind: 'overlay-own-write', writes: new Set(setOf(this.#accepted, get.process)) },
      { kind: 'overlay-went-back', writes: new Set(setOf(this.#shown, get.process)) },
      ...this.#demandsOfSession(get),
    ]
  }

  #demandsOfSession(event: Read | Got): Demand[] {
    if (event.session === undefined) return []
    const { wrote, saw, told } = this.#knowledgeOf(event).copy()
    return [
      { kind: 'read-your-writes', writes: wrote },
      { kind: 'monotonic-reads', writes: saw },
      { kind: 'bookmark', writes: told },
    ]
  }

  #knowledgeOf({ process, session }: { process: number; session?: string | undefined }): Knowledge {
    const name = `${process}/${session}`
    const known = this.#sessions.get(name) ?? new Knowledge()
    this.#sessions.set(name, known)
    return known
  }

  #bookmark(name: string): Bookmark {
    const bookmark = this.#bookmarks.get(name)
    if (!bookmark) throw new Error(`bookmark ${name} was used before it was taken: the clocks differ`)
    return bookmark
  }
}

function setOf(sets: Map<number, Set<WriteId>>, process: number): Set<WriteId> {
  const set = sets.get(process) ?? new Set()
  sets.set(process, set)
  return set
}
