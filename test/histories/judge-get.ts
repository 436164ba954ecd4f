/**
 * Whether a keyed read showed the row with everything laid over it that its process had accepted, and nothing older
 * than what was known to be committed.
 */
import type { FinalOrder } from './final-order.ts'
import type { Got, WriteId } from './history.ts'
import { eventsOf, list, type Demand } from './judge-read.ts'
import type { Knowledge } from './knowledge.ts'
import type { Report } from './violation.ts'

export function judgeGet(
  get: Got,
  demands: readonly Demand[],
  known: Knowledge,
  order: FinalOrder,
  report: Report,
): void {
  const lost = [...known.all()].filter((write) => order.isLost(write) && !isOwn(write, get, order))
  if (get.error !== undefined) {
    if (get.write !== undefined)
      report('rows-with-error', `a get failed with ${get.error} and gave a row`, [get])
    if (get.error === 'POSITION_LOST' && lost.length === 0)
      report('false-loss', 'a position was told lost, and none is that the session knows', [get])
    if (!['POSITION_LOST', 'STALE_READ', 'WRITE_REJECTED'].includes(get.error))
      report('unexpected-error', `a get failed with ${get.error}`, [get])
    return
  }
  if (lost.length > 0)
    report('lost-position', `a row was given to a session that follows ${list(lost)}, never to be there`, [
      get,
      ...eventsOf(lost, order),
    ])
  checkExists(get, order, report)
  const told = new Set<WriteId>()
  for (const { kind, writes } of demands) {
    const missing = [...writes].filter((write) => {
      if (told.has(write) || order.isRejected(write) || order.writes.get(write)?.key !== get.key) return false
      return !isAtLeast(get, write, order)
    })
    for (const write of missing) told.add(write)
    if (missing.length > 0)
      report(
        kind,
        `register ${get.key} shows ${get.write ?? 'no row'}, which is older than ${list(missing)}`,
        [get, ...eventsOf(missing, order)],
      )
  }
}

/** What is shown is committed, or pending in this very process. */
function checkExists(get: Got, order: FinalOrder, report: Report): void {
  if (get.write === undefined) return
  const write = order.writes.get(get.write)
  const isPending = get.pending === true && isOwn(get.write, get, order)
  if (write?.key === get.key && write.from <= get.to && (isPending || order.place(get.write) !== undefined))
    return
  report(
    'overlay-invented',
    `register ${get.key} shows write ${get.write}, neither committed nor pending here`,
    [get, ...eventsOf([get.write], order)],
  )
}

/** Whether what is shown is `write`, or came after it. */
function isAtLeast(get: Got, write: WriteId, order: FinalOrder): boolean {
  if (get.write === undefined) return false
  if (get.write === write) return true
  const [shown, demanded] = [order.writes.get(get.write), order.writes.get(write)]
  // Its own operations are in the order of their positions, committed or not.
  if (shown && demanded && shown.process === demanded.process)
    return shown.position.seq > demanded.position.seq
  const [shownPlace, place] = [order.place(get.write), order.place(write)]
  if (shownPlace !== undefined && place !== undefined) return shownPlace > place
  // What is pending here lies over all that is committed; what was lost elsewhere is judged apart.
  return shownPlace === undefined ? isOwn(get.write, get, order) : !isOwn(write, get, order)
}

function isOwn(write: WriteId, get: Got, order: FinalOrder): boolean {
  return order.writes.get(write)?.process === get.process
}
