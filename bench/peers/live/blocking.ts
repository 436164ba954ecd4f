/** A bare driver on the main thread: a prepared UPDATE that commits by itself, and a prepared SELECT. */
import { jobId, stateAt, type JobRow, type PartRow } from '../../workloads/live/rows.ts'
import { CHANGED_PARTS } from '../../workloads/live/sizes.ts'
import type { Driver } from '../reads/blocking.ts'
import { SELECT_JOB, SELECT_PART, UPDATE_JOB, UPDATE_PART, type ChangePeer } from './peer.ts'

export function blockingPeer(driver: Pick<Driver, 'prepare' | 'close'>): ChangePeer {
  const id = jobId(0)
  const [updateJob, selectJob] = [driver.prepare(UPDATE_JOB), driver.prepare(SELECT_JOB)]
  const [updatePart, selectPart] = [driver.prepare(UPDATE_PART), driver.prepare(SELECT_PART)]
  return {
    changeJob(number) {
      updateJob.run(stateAt(number), number, id)
      return selectJob.get(id) as JobRow | undefined
    },
    changePart(number) {
      const n = number % CHANGED_PARTS
      updatePart.run(stateAt(number), number, id, n)
      return selectPart.get(id, n) as PartRow | undefined
    },
    close: () => driver.close(),
  }
}
