/**
 * Whether each rejection was told to its session: by awaiting the write, by the list, or else by the failure of the
 * session's next read, once.
 *
 * Where a telling overlaps with a read, either may have been first: then nothing is demanded of the read.
 */
import type { FinalOrder, KnownWrite } from './final-order.ts'
import type { Got, HistoryEvent, Listed, Read, WriteId } from './history.ts'
import type { Report } from './violation.ts'

type OwnEvents = Extract<HistoryEvent, { session?: string | undefined }>[]

/** Something that tells a session of a rejection. */
interface Telling {
  readonly event: HistoryEvent
  /** By when it was told for sure; Infinity where it may have told of others only. */
  readonly sureAt: number
}

export function checkRejections(events: readonly HistoryEvent[], order: FinalOrder, report: Report): void {
  const settledAt = new Map<WriteId, number>()
  for (const event of events) {
    const write = event.kind === 'rejected' ? order.at(event.position) : undefined
    if (write) settledAt.set(write.write, event.to)
  }
  const sessions = new Map<string, OwnEvents>()
  for (const event of events) {
    if (!('session' in event) || event.session === undefined) continue
    const name = `${event.process}/${event.session}`
    const own = sessions.get(name) ?? []
    sessions.set(name, own)
    own.push(event)
  }
  for (const own of sessions.values()) new SessionRejections(own, settledAt, order, report).check()
}

class SessionRejections {
  readonly #events: OwnEvents
  readonly #settledAt: ReadonlyMap<WriteId, number>
  readonly #rejected: readonly KnownWrite[]
  readonly #isIgnored: boolean
  readonly #order: FinalOrder
  readonly #report: Report

  constructor(events: OwnEvents, settledAt: ReadonlyMap<WriteId, number>, order: FinalOrder, report: Report) {
    this.#events = events
    this.#settledAt = settledAt
    this.#order = order
    this.#report = report
    this.#rejected = events.flatMap((event) => {
      const write = event.kind === 'write' ? order.writes.get(event.write) : undefined
      return write && order.isRejected(write.write) ? [write] : []
    })
    this.#isIgnored = events.some((event) => event.kind === 'session' && event.ignoresRejections)
  }

  check(): void {
    for (const event of this.#events) {
      if (event.kind === 'read' || event.kind === 'get') {
        if (event.error === 'WRITE_REJECTED') this.#checkFailure(event)
        if (event.error === undefined && !this.#isIgnored) this.#checkRows(event)
      }
      if (event.kind === 'rejections') this.#checkList(event)
      if (event.kind === 'awaited') this.#checkOutcome(event)
    }
  }

  /** The read gave rows: nothing was left to be told. */
  #checkRows(read: Read | Got): void {
    for (const write of this.#rejected) {
      if (!this.#isSettledFor(read, write)) continue
      const mayBeTold = this.#tellings(write).some(({ event }) => event.from < read.to)
      if (!mayBeTold)
        this.#report(
          'rejection',
          `a read gave rows, and nobody was told that write ${write.write} was rejected`,
          [read, write],
        )
    }
  }

  /** The read failed for a rejection: there was one that was not told before. */
  #checkFailure(read: Read | Got): void {
    const isReason = (write: KnownWrite): boolean =>
      write.to < read.to &&
      !this.#tellings(write).some(({ event, sureAt }) => event !== read && sureAt < read.from)
    if (this.#isIgnored || !this.#rejected.some(isReason))
      this.#report('rejection', 'a read failed for a rejection, and none was left to be told', [read])
  }

  #checkList(event: Listed): void {
    const listed = new Set(event.listed.map((position) => this.#order.at(position)?.write))
    const missing = this.#rejected.filter(
      ({ write }) => (this.#settledAt.get(write) ?? Infinity) < event.from && !listed.has(write),
    )
    for (const write of missing)
      this.#report('rejection-not-listed', `write ${write.write} was rejected, and is not in the list`, [
        event,
        write,
      ])
    const own = new Set(this.#rejected.map(({ write }) => write))
    for (const write of listed)
      if (write === undefined || !own.has(write))
        this.#report('rejection', `write ${write ?? '?'} is listed, and is no rejected one of the session`, [
          event,
        ])
  }

  #checkOutcome(event: Extract<HistoryEvent, { kind: 'awaited' }>): void {
    const { write, outcome } = event
    if (outcome === 'rejected' && !this.#order.isRejected(write))
      this.#report('rejection', `write ${write} was told rejected, and was not`, [event])
    if (outcome === 'committed' && this.#order.place(write) === undefined)
      this.#report('acknowledged-lost', `write ${write} was told committed, and is not there`, [event])
    if (outcome === 'abandoned')
      this.#report('unexpected-error', `write ${write} was abandoned by an engine that went on`, [event])
  }

  /** An eventual read waits for nothing, nor does a keyed one, so it knows of what was settled before. */
  #isSettledFor(read: Read | Got, write: KnownWrite): boolean {
    if (read.kind === 'get' || read.level === 'eventual')
      return (this.#settledAt.get(write.write) ?? Infinity) < read.from
    return write.to < read.from
  }

  #tellings(write: KnownWrite): Telling[] {
    return this.#events.flatMap((event): Telling[] => {
      if (event.to < write.from) return []
      switch (event.kind) {
        case 'awaited':
          return event.write === write.write ? [{ event, sureAt: event.to }] : []
        case 'rejections':
          return [{ event, sureAt: this.#isListed(event, write) ? event.to : Infinity }]
        case 'read':
        case 'get':
          if (event.error !== 'WRITE_REJECTED') return []
          return [{ event, sureAt: this.#isSettledFor(event, write) ? event.to : Infinity }]
        default:
          return []
      }
    })
  }

  #isListed({ listed }: Listed, { position: { epoch, seq } }: KnownWrite): boolean {
    return listed.some((mark) => mark.epoch === epoch && mark.seq === seq)
  }
}
