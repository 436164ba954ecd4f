/**
 * How a request's writes get into the queue, and how long its answer waits for them.
 *
 * Keeps: law 7 over HTTP. A full queue is waited for, with nothing more read from the client meanwhile, and after a
 * while the client is told to come again.
 */
import type { Runtime } from '../contracts/runtime.ts'
import { QueueFullError } from '../errors.ts'
import type { Receipt } from '../index.ts'
import type { Engine } from './context.ts'
import type { Limits } from './limits.ts'

/** A receipt in a box: a promise of the receipt itself would wait for its commit. */
export interface Accepted {
  readonly receipt: Receipt
}

/**
 * Accepts as soon as there is room.
 *
 * @throws QueueFullError when there was none for `fullQueueMs`; what `accept` throws otherwise
 */
export async function acceptWithin(
  db: Engine,
  { fullQueueMs }: Limits,
  runtime: Runtime,
  accept: () => Receipt,
): Promise<Accepted> {
  const deadlineMs = runtime.monotonicMs() + fullQueueMs
  for (;;) {
    try {
      return { receipt: accept() }
    } catch (error) {
      const leftMs = deadlineMs - runtime.monotonicMs()
      if (!(error instanceof QueueFullError) || leftMs <= 0) throw error
      if (!(await hasRoomWithin(db, leftMs, runtime))) throw error
    }
  }
}

async function hasRoomWithin(db: Engine, ms: number, runtime: Runtime): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = runtime.after(ms, () => late.resolve(false))
  try {
    return await Promise.race([db.ready().then(() => true), late.promise])
  } finally {
    timer.cancel()
  }
}
