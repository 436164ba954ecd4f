/** Ways to spoil a recorded history so that it surely breaks something, whatever the rest of it is. */
import type { FinalOrder } from './final-order.ts'
import type { Got, History, HistoryEvent, Listed, Read, Written } from './history.ts'
import type { ViolationKind } from './violation.ts'

interface Tampered {
  readonly history: History
  /** One of these is broken now, at least. */
  readonly breaks: readonly ViolationKind[]
}

/** Gives every place where a history can be spoiled in this way. */
type Tampering = (history: History, order: FinalOrder) => (() => Tampered)[]

type Shown = Read & { readonly log: NonNullable<Read['log']> }

export const tamperings: Readonly<Record<string, Tampering>> = {
  'a row is dropped from the midst of a read': (history) =>
    shownIn(history).flatMap((read) =>
      read.log.slice(0, -1).map((_, at) => () => ({
        history: replace(history, [[read, { ...read, log: read.log.toSpliced(at, 1) }]]),
        breaks: ['prefix'],
      })),
    ),

  'two neighbours change places in a read': (history) =>
    shownIn(history).flatMap((read) =>
      read.log.slice(0, -1).map((first, at) => () => ({
        history: replace(history, [
          [read, { ...read, log: read.log.toSpliced(at, 2, read.log[at + 1] as number, first) }],
        ]),
        breaks: ['prefix'],
      })),
    ),

  'a read ends before a write of its session': (history, order) =>
    demanding(history).flatMap((read) =>
      ownWrites(history, read)
        .filter(({ write }) => read.log.includes(write))
        .map(({ write }) => () => ({
          history: replace(history, [[read, cut(read, read.log.indexOf(write), order)]]),
          breaks: ['read-your-writes'],
        })),
    ),

  'two reads of a session change places': (history) =>
    demanding(history).flatMap((later) =>
      shownIn(history)
        .filter(({ process, session, to, log }) => {
          const isEarlier = process === later.process && session === later.session && to < later.from
          return isEarlier && log.length < later.log.length
        })
        .map((earlier) => () => ({
          history: replace(history, [
            [earlier, { ...earlier, ...rowsOf(later) }],
            [later, { ...later, ...rowsOf(earlier) }],
          ]),
          // What one of its own reads had shown, or what it wrote in between.
          breaks: ['monotonic-reads', 'read-your-writes'],
        })),
    ),

  'a strong read of an engine ends before what was told committed': (history, order) =>
    shownIn(history)
      .filter(({ level, session }) => level === 'strong' && session === undefined)
      .flatMap((read) =>
        committedBefore(history, read, order).map((write) => () => ({
          history: replace(history, [[read, cut(read, read.log.indexOf(write), order)]]),
          breaks: ['own-accepted', 'others-committed'],
        })),
      ),

  'a read that was told of a loss gives rows': (history, order) =>
    history.events
      .filter((event): event is Read => event.kind === 'read' && event.error === 'POSITION_LOST')
      .map((read) => () => {
        const { error: _, ...rest } = read
        const log = order.log.slice(0)
        return {
          history: replace(history, [[read, { ...rest, log, registers: order.registersAfter(log) }]]),
          breaks: ['lost-position'],
        }
      }),

  'a keyed read finds no row after a write of its process': (history, order) =>
    history.events
      .filter((event): event is Got => event.kind === 'get' && event.write !== undefined)
      .filter((get) => {
        const write = order.writes.get(get.write as number)
        return write?.process === get.process && write.to < get.from && order.place(write.write) !== undefined
      })
      .map((get) => () => ({
        history: replace(history, [[get, { ...get, write: undefined }]]),
        breaks: ['overlay-own-write'],
      })),

  'a rejection is dropped from a list': (history) =>
    history.events
      .filter((event): event is Listed => event.kind === 'rejections' && event.listed.length > 0)
      .map((event) => () => ({
        history: replace(history, [[event, { ...event, listed: event.listed.slice(1) }]]),
        breaks: ['rejection-not-listed'],
      })),

  'two writes of one writer change places in the database': (history) =>
    history.final.log.flatMap(({ epoch }, first) => {
      const second = history.final.log.findIndex((row, at) => at > first && row.epoch === epoch)
      if (second < 0) return []
      return [() => ({ history: swapRows(history, first, second), breaks: ['prefix'] as const })]
    }),

  'a write is gone from the database that was told committed': (history, order) =>
    history.events
      .flatMap((event) => (event.kind === 'committed' ? order.upTo(event.position) : []))
      .filter(({ write }) => order.place(write) !== undefined)
      .map(({ write }) => () => ({
        history: {
          ...history,
          final: { ...history.final, log: history.final.log.filter((row) => row.write !== write) },
        },
        breaks: ['acknowledged-lost'],
      })),
}

/** An older prefix is what an eventual read may show at any time. */
export function olderEventualReads(history: History, order: FinalOrder): (() => History)[] {
  return shownIn(history)
    .filter(({ level }) => level === 'eventual')
    .flatMap((read) =>
      read.log.map((_, length) => () => replace(history, [[read, cut(read, length, order)]])),
    )
}

function replace(history: History, changes: readonly (readonly [HistoryEvent, HistoryEvent])[]): History {
  const changed = new Map(changes)
  return { ...history, events: history.events.map((event) => changed.get(event) ?? event) }
}

/** Only so many rows, as if it had been answered so much earlier. */
function cut(read: Shown, length: number, order: FinalOrder): Read {
  const log = read.log.slice(0, length)
  return { ...read, log, registers: order.registersAfter(log), seen: [] }
}

function rowsOf({ log, registers = {}, seen = [] }: Shown): Pick<Read, 'log' | 'registers' | 'seen'> {
  return { log, registers, seen }
}

function swapRows(history: History, first: number, second: number): History {
  const log = [...history.final.log]
  const [one, other] = [log[first], log[second]]
  if (one && other) [log[first], log[second]] = [other, one]
  return { ...history, final: { ...history.final, log } }
}

function shownIn({ events }: History): Shown[] {
  return events.filter((event): event is Shown => event.kind === 'read' && event.log !== undefined)
}

/** Reads of sessions that must show what these know. */
function demanding(history: History): Shown[] {
  return shownIn(history).filter(({ level, session }) => level !== 'eventual' && session !== undefined)
}

function ownWrites({ events }: History, { process, session, from }: Read): Written[] {
  return events.filter(
    (event): event is Written =>
      event.kind === 'write' && event.process === process && event.session === session && event.to < from,
  )
}

function committedBefore({ events }: History, read: Shown, order: FinalOrder): number[] {
  return events
    .flatMap((event) =>
      event.kind === 'committed' && event.to < read.from ? order.upTo(event.position) : [],
    )
    .map(({ write }) => write)
    .filter((write) => read.log.includes(write))
}
