/** Tidemark without a scope: upserts that nobody awaits, reads that see them. A full queue holds the caller back. */
import { jobId, stateAt, type Tables } from '../../workloads/live/rows.ts'
import { CHANGED_PARTS } from '../../workloads/live/sizes.ts'
import { openEngine } from '../tidemark.ts'
import type { OpenChangePeer } from './peer.ts'

interface Changeable {
  jobs: Tables['jobs']
  /** The columns that a change leaves out are as they were. */
  parts: Pick<Tables['parts'], 'job' | 'n' | 'state' | 'progress'>
}

export const calls: OpenChangePeer = async (file) => {
  const db = await openEngine<Changeable>(file, { whenFull: 'wait' })
  const id = jobId(0)
  return {
    async changeJob(number) {
      if (db.isFull) await db.ready()
      db.upsert('jobs', { id, stage: stateAt(number), progress: number })
      return (await db.get('jobs', { id })).row
    },
    async changePart(number) {
      const key = { job: id, n: number % CHANGED_PARTS }
      if (db.isFull) await db.ready()
      db.upsert('parts', { ...key, state: stateAt(number), progress: number })
      return (await db.get('parts', key)).row
    },
    written: () => db.stats().committed.operations,
    flush: () => db.flush(),
    close: () => db.close(),
  }
}
