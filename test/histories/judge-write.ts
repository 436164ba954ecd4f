/** Whether a session's writes were committed behind what they follow. */
import type { FinalOrder } from './final-order.ts'
import type { CaughtUp, WriteId, Written } from './history.ts'
import { eventsOf, list } from './judge-read.ts'
import type { Knowledge } from './knowledge.ts'
import type { Report, ViolationKind } from './violation.ts'

export function judgeWrite(write: Written, known: Knowledge, order: FinalOrder, report: Report): void {
  if (write.error !== undefined) return judgeRefusal(write, known, order, report)
  const place = order.place(write.write)
  if (write.session === undefined || place === undefined) return
  const overtaken = (follows: Iterable<WriteId>): WriteId[] =>
    [...follows].filter(
      (earlier) => !order.isRejected(earlier) && !((order.place(earlier) ?? Infinity) < place),
    )
  const broken: [ViolationKind, WriteId[]][] = [
    ['monotonic-writes', overtaken(known.wrote)],
    ['writes-follow-reads', overtaken([...known.all()].filter((one) => !known.wrote.has(one)))],
  ]
  for (const [kind, writes] of broken)
    if (writes.length > 0)
      report(
        kind,
        `write ${write.write} was committed before, or without, ${list(writes)}, which it follows`,
        [write, ...eventsOf(writes, order)],
      )
}

function judgeRefusal(write: Written, known: Knowledge, order: FinalOrder, report: Report): void {
  const isFollowing =
    known.isFromElsewhere || [...known.all()].some((one) => order.writes.get(one)?.process !== write.process)
  if (write.error !== 'SESSION_BEHIND' || !isFollowing)
    report('unexpected-error', `a write was refused with ${write.error}`, [write])
}

export function judgeCatchUp(event: CaughtUp, known: Knowledge, order: FinalOrder, report: Report): void {
  const lost = [...known.all()].filter(
    (write) => order.isLost(write) && order.writes.get(write)?.process !== event.process,
  )
  if (event.error === undefined && lost.length > 0)
    report('lost-position', `the session caught up with ${list(lost)}, which will never be there`, [
      event,
      ...eventsOf(lost, order),
    ])
  if (event.error === 'POSITION_LOST' && lost.length === 0)
    report('false-loss', 'a position was told lost, and none is that the session knows', [event])
  if (event.error !== undefined && event.error !== 'POSITION_LOST' && event.error !== 'STALE_READ')
    report('unexpected-error', `catching up failed with ${event.error}`, [event])
}
