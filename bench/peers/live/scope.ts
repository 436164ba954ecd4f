/** Tidemark's live scope: changed and read in memory, committed behind. */
import { jobId, stateAt, type Tables } from '../../workloads/live/rows.ts'
import { CHANGED_PARTS } from '../../workloads/live/sizes.ts'
import { openEngine } from '../tidemark.ts'
import type { OpenChangePeer } from './peer.ts'

export const liveScope: OpenChangePeer = async (file) => {
  const db = await openEngine<Tables>(file)
  const scope = await db.live('jobs', { id: jobId(0) }, { children: { parts: 'job' } })
  const parts = scope.rows('parts')
  return {
    changeJob(number) {
      scope.set({ stage: stateAt(number), progress: number })
      return scope.row
    },
    changePart(number) {
      const n = number % CHANGED_PARTS
      parts.set({ n, state: stateAt(number), progress: number })
      return parts.get({ n })
    },
    written: () => db.live.stats().written,
    flush: () => scope.flush(),
    async close() {
      await scope.close()
      await db.close()
    },
  }
}
