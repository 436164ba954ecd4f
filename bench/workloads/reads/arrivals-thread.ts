/** While it is told to, sends a message at random moments, so many a second on average, with the time it was sent. */

import { parentPort, workerData } from 'node:worker_threads'
import { createRandom } from '../rows.ts'
import type { ArrivalSettings } from './arrivals.ts'
import { nowMs } from './clock.ts'

const { perSecond, gate } = workerData as ArrivalSettings
const random = createRandom(3)

for (;;) {
  Atomics.wait(gate, 0, 0)
  for (let dueMs = nowMs(); ;) {
    // The times between independent arrivals: nothing beats in step with them.
    dueMs += (-Math.log(1 - random()) * 1000) / perSecond
    const leftMs = dueMs - nowMs()
    if (leftMs > 0) Atomics.wait(gate, 0, 1, leftMs)
    if (Atomics.load(gate, 0) === 0) break
    parentPort?.postMessage(nowMs())
  }
}
