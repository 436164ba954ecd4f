/** Objects in a Map, changed where they are, and nothing else: what nothing can beat. They are gone with the process. */
import { jobAt, jobId, partAt, stateAt } from '../../workloads/live/rows.ts'
import { CHANGED_PARTS } from '../../workloads/live/sizes.ts'
import type { OpenChangePeer } from './peer.ts'

export const map: OpenChangePeer = async () => {
  const id = jobId(0)
  const jobs = new Map([[id, jobAt(0)]])
  const parts = new Map(Array.from({ length: CHANGED_PARTS }, (_, n) => [n, partAt(0, n)] as const))
  return {
    changeJob(number) {
      const job = jobs.get(id)
      if (job) {
        job.stage = stateAt(number)
        job.progress = number
      }
      return jobs.get(id)
    },
    changePart(number) {
      const n = number % CHANGED_PARTS
      const part = parts.get(n)
      if (part) {
        part.state = stateAt(number)
        part.progress = number
      }
      return parts.get(n)
    },
    close: () => undefined,
  }
}
