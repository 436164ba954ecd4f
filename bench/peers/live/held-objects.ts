/** What a program would do by hand: all rows in one query a table, as plain objects under their key. */
import { DatabaseSync } from 'node:sqlite'
import { jobId, type JobRow, type PartRow } from '../../workloads/live/rows.ts'
import { HELD_PARTS } from '../../workloads/live/sizes.ts'
import { requireWhole, type OpenHolder } from './holder.ts'

export const heldObjects: OpenHolder = async (file) => {
  const database = new DatabaseSync(file)
  const jobs = database.prepare('SELECT * FROM jobs WHERE id >= ? ORDER BY id LIMIT ?')
  const parts = database.prepare('SELECT * FROM parts WHERE job >= ? ORDER BY job, n LIMIT ?')
  const held = new Map<string, { readonly job: JobRow; readonly parts: PartRow[] }>()
  return {
    async open(first, count) {
      for (const row of jobs.iterate(jobId(first), count)) {
        const { id, stage, progress, title, owner, kind, path, note } = row as unknown as JobRow
        held.set(id, { job: { id, stage, progress, title, owner, kind, path, note }, parts: [] })
      }
      for (const row of parts.iterate(jobId(first), count * HELD_PARTS)) {
        const { job, n, state, progress, text } = row as unknown as PartRow
        held.get(job)?.parts.push({ job, n, state, progress, text })
      }
      for (const one of held.values()) requireWhole(true, one.parts.length)
    },
    letGo: async () => held.clear(),
    close: async () => database.close(),
  }
}
