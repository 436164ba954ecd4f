/** Counts what happened in a history, so that a run in which nothing happens that matters is not taken for a proof. */
import type { History, HistoryEvent, Read, Took, Written } from './history.ts'

export interface Census {
  events: number
  writes: number
  reads: number
  /** Reads that waited for a write of another process, which committed it only after the read had begun. */
  waitedForOthers: number
  waited: number
  gets: number
  /** Keyed reads that showed what was not committed yet. */
  pendingGets: number
  /** Bookmarks that were used in another process than they were taken in. */
  bookmarksAcross: number
  stale: number
  lost: number
  rejections: number
  /** Reads that told of a rejection. */
  rejectionReads: number
  refusedWrites: number
  /** Events of two processes at the same time. */
  concurrent: number
}

export function count({ events, final }: History): Census {
  const ofKind = <K extends HistoryEvent['kind']>(kind: K) =>
    events.filter((event): event is Extract<HistoryEvent, { kind: K }> => event.kind === kind)
  const reads = ofKind('read')
  const gets = ofKind('get')
  const failed = (code: string): number =>
    events.filter((event) => 'error' in event && event.error === code).length
  const takers = new Map(ofKind('took').map((event) => [event.bookmark, event]))
  const isAcross = (bookmark: string, process: number): boolean => takers.get(bookmark)?.process !== process
  const included = ofKind('included').filter((event) => isAcross(event.bookmark, event.process))
  const after = reads.filter((read) => read.after.some((bookmark) => isAcross(bookmark, read.process)))
  const waited = reads.filter(({ waitedMs = 0 }) => waitedMs > 0)
  const waits = new Waits(events, takers)
  return {
    events: events.length,
    writes: ofKind('write').length,
    reads: reads.length,
    waitedForOthers: waited.filter((read) => waits.isForOthers(read)).length,
    waited: waited.length,
    gets: gets.length,
    pendingGets: gets.filter(({ pending }) => pending).length,
    bookmarksAcross: included.length + after.length,
    stale: failed('STALE_READ'),
    lost: failed('POSITION_LOST'),
    rejections: final.deadLetters.length,
    rejectionReads: failed('WRITE_REJECTED'),
    refusedWrites: failed('SESSION_BEHIND'),
    concurrent: concurrentPairs(events),
  }
}

export function add(sum: Census | undefined, one: Census): Census {
  if (!sum) return one
  const names = Object.keys(one) as (keyof Census)[]
  return Object.fromEntries(names.map((name) => [name, sum[name] + one[name]])) as unknown as Census
}

/** Neighbours in time that overlap and belong to two processes. */
function concurrentPairs(events: readonly HistoryEvent[]): number {
  let latest: HistoryEvent | undefined
  let pairs = 0
  for (const event of events) {
    if (event.kind === 'open') continue
    if (latest && latest.process !== event.process && event.from < latest.to) pairs++
    if (!latest || event.to > latest.to) latest = event
  }
  return pairs
}

/** Which reads had to wait for another process: by what they showed of writes that were not committed when they began. */
class Waits {
  readonly #writes: ReadonlyMap<number, Written>
  readonly #takers: ReadonlyMap<string, Took>
  /** When its process was told that a write is committed, by epoch. */
  readonly #commits = new Map<number, { readonly seq: number; readonly at: number }[]>()
  readonly #included = new Map<string | undefined, Set<number>>()

  constructor(events: readonly HistoryEvent[], takers: ReadonlyMap<string, Took>) {
    this.#takers = takers
    this.#writes = new Map(events.flatMap((event) => (event.kind === 'write' ? [[event.write, event]] : [])))
    for (const event of events) {
      if (event.kind === 'committed') {
        const { epoch, seq } = event.position
        this.#commits.set(epoch, [...(this.#commits.get(epoch) ?? []), { seq, at: event.from }])
      }
      if (event.kind === 'included') {
        const processes = this.#included.get(event.session) ?? new Set()
        this.#included.set(event.session, processes.add(takers.get(event.bookmark)?.process ?? -1))
      }
    }
  }

  isForOthers(read: Read): boolean {
    const others = new Set(read.after.map((bookmark) => this.#takers.get(bookmark)?.process ?? -1))
    for (const process of this.#included.get(read.session) ?? []) others.add(process)
    return (read.log ?? []).some((write) => {
      const written = this.#writes.get(write)
      if (!written || written.process === read.process || !others.has(written.process)) return false
      return written.to < read.from && this.#toldAt(written) > read.from
    })
  }

  #toldAt({ position }: Written): number {
    const commits = this.#commits.get(position?.epoch ?? -1) ?? []
    return commits.find(({ seq }) => seq >= (position?.seq ?? 0))?.at ?? 0
  }
}
