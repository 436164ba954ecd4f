/** Has all items of a queue handled, and sees to it that each was: once, twice when it fails once, none before its time. */
import { setTimeout as delay } from 'node:timers/promises'
import { startMeter, type Usage } from '../../measure.ts'
import type { EffectsPeer } from '../../peers/effects/peer.ts'
import { failsOnce } from './items.ts'
import { MOST } from './sizes.ts'

const LOOK_EVERY_MS = 2
/** Until all are handled it is looked seldom, so that nobody pays for it. */
const LOOK_FOR_LOST_EVERY_MS = 1_000

export interface Drained {
  readonly usage: Usage
  /** Until most of them were done. */
  readonly mostMs: number
}

export interface Queued {
  readonly first: number
  readonly count: number
  /** Where some have to wait and some fail: when an item may be handled, in ms since 1970. */
  readonly dueAt?: (id: number) => number | undefined
}

/** @returns what it took until the queue's own database held none of the items as not done; they are all it has */
export async function drain(peer: EffectsPeer, { first, count, dueAt }: Queued): Promise<Drained> {
  const calls = new Uint8Array(count)
  const { promise: allHandled, resolve } = Promise.withResolvers<true>()
  const most = Math.ceil(MOST * count)
  let done = 0
  let early = 0
  let mostAtMs = NaN
  const handle = (id: number): boolean => {
    const due = dueAt?.(id)
    // Clocks that are read in whole milliseconds are one apart.
    if (due !== undefined && Date.now() < due - 1) early++
    const call = ++(calls[id - first] as number)
    if (dueAt && failsOnce(id) && call === 1) return false
    if (++done === most) mostAtMs = performance.now()
    if (done === count) resolve(true)
    return true
  }
  const stopMeter = startMeter()
  const startMs = performance.now()
  const stop = await peer.work({ handle, mayFail: dueAt !== undefined })
  while (!(await Promise.race([allHandled, delay(LOOK_FOR_LOST_EVERY_MS, false, { ref: false })]))) {
    const doneBefore = done
    if ((await peer.unfinished()) === 0 && done === doneBefore && done < count)
      throw new Error(`${count - done} items are not in the queue any more and were never handled`)
  }
  while ((await peer.unfinished()) > 0) await delay(LOOK_EVERY_MS)
  const usage = stopMeter()
  await stop()
  if (early > 0) throw new Error(`${early} items were handled before their time`)
  for (const [offset, found] of calls.entries()) {
    const expected = dueAt && failsOnce(first + offset) ? 2 : 1
    if (found !== expected)
      throw new Error(`item ${first + offset} was handled ${found} times instead of ${expected}`)
  }
  return { usage, mostMs: mostAtMs - startMs }
}
