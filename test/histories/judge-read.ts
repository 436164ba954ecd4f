/** Whether a query's rows hold what they had to, and are what the database held at one moment. */
import { tornRegisters, type FinalOrder } from './final-order.ts'
import type { HistoryEvent, Read, WriteId } from './history.ts'
import type { Report, ViolationKind } from './violation.ts'

/** What a call had to include when it began, and what is broken if it did not. */
export interface Demand {
  readonly kind: ViolationKind
  readonly writes: ReadonlySet<WriteId>
}

export function judgeRead(read: Read, demands: readonly Demand[], order: FinalOrder, report: Report): void {
  const { error, log, registers } = read
  if (error !== undefined) {
    if (log || registers) report('rows-with-error', `a read failed with ${error} and gave rows`, [read])
    return judgeError(read, demands, order, report)
  }
  checkCommitted(read, order, report)
  checkSeen(read, order, report)
  const shown = new Set(log)
  const isMet = (write: WriteId): boolean => shown.has(write) || order.isRejected(write)
  const told = new Set<WriteId>()
  for (const { kind, writes } of demands) {
    const missing = [...writes].filter((write) => !isMet(write) && !told.has(write))
    for (const write of missing) told.add(write)
    const lost = missing.filter((write) => order.isLost(write))
    const late = missing.filter((write) => !order.isLost(write))
    if (lost.length > 0)
      report('lost-position', `rows were given without ${list(lost)}, which will never be there`, [
        read,
        ...eventsOf(lost, order),
      ])
    if (late.length > 0) report(kind, `the read lacks ${list(late)}`, [read, ...eventsOf(late, order)])
  }
}

function judgeError(read: Read, demands: readonly Demand[], order: FinalOrder, report: Report): void {
  const elapsedMs = (read.to - read.from) / 1e6
  switch (read.error) {
    case 'STALE_READ':
      // Timers count in whole milliseconds, and may end that much early.
      if (elapsedMs < read.timeoutMs - 2)
        report('stale-too-early', `stale after ${elapsedMs} of ${read.timeoutMs} ms`, [read])
      return
    case 'POSITION_LOST':
      if (!demands.some(({ writes }) => [...writes].some((write) => order.isLost(write))))
        report('false-loss', 'a position was told lost, and none is that was asked for', [read])
      return
    case 'WRITE_REJECTED':
      return // Judged with the session's other rejections.
    default:
      report('unexpected-error', `a read failed with ${read.error}`, [read])
  }
}

/** Whatever the level: the rows are what some moment of the database held, of one snapshot. */
function checkCommitted(read: Read, order: FinalOrder, report: Report): void {
  const { log = [], registers = {} } = read
  const differs = log.findIndex((write, place) => write !== order.log[place])
  if (differs >= 0) {
    const expected = order.log[differs]
    report('prefix', `write ${log[differs]} is shown where ${expected} comes next`, [
      read,
      ...eventsOf([expected ?? -1], order),
    ])
  }
  const torn = tornRegisters(registers, order.registersAfter(log))
  if (torn.length > 0 && differs < 0)
    report('prefix', `registers ${torn.join(', ')} are not those of the log beside them`, [read])
}

/** What the read told of itself: everything up to these positions is in the rows. */
function checkSeen(read: Read, order: FinalOrder, report: Report): void {
  const shown = new Set(read.log)
  for (const mark of read.seen ?? []) {
    const missing = order
      .upTo(mark)
      .filter(({ write }) => !shown.has(write) && !order.isRejected(write))
      .map(({ write }) => write)
    if (missing.length > 0)
      report(
        'prefix',
        `it says to have seen ${mark.seq} of epoch ${mark.epoch}, and lacks ${list(missing)}`,
        [read, ...eventsOf(missing, order)],
      )
  }
}

export function list(writes: readonly WriteId[]): string {
  const more = writes.length > 5 ? ` and ${writes.length - 5} more` : ''
  return `write${writes.length > 1 ? 's' : ''} ${writes.slice(0, 5).join(', ')}${more}`
}

export function eventsOf(writes: readonly WriteId[], order: FinalOrder): HistoryEvent[] {
  return writes.slice(0, 5).flatMap((write) => order.writes.get(write) ?? [])
}
