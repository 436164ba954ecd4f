/** Live scopes, opened and closed side by side, in portions. */
import { sqlite } from '../../../src/stores/sqlite/index.ts'
import { open } from '../../../src/tidemark.ts'
import { jobId, type Tables } from '../../workloads/live/rows.ts'
import { requireWhole, type OpenHolder } from './holder.ts'

const PORTION = 1_000
/** So that what is resident is the rows that are held, and not pages of the file. */
const CACHE_BYTES = 2 ** 20
const UNBOUNDED = { maxRows: 2 ** 40, maxBytes: 2 ** 40 }

export const heldScopes: OpenHolder = async (file) => {
  const db = await open<Tables>(sqlite(file, { cacheBytes: CACHE_BYTES }), { live: UNBOUNDED })
  const openOne = (number: number) => db.live('jobs', { id: jobId(number) }, { children: { parts: 'job' } })
  let scopes: Awaited<ReturnType<typeof openOne>>[] = []
  return {
    async open(first, count) {
      for (let at = first; at < first + count; at += PORTION) {
        const length = Math.min(PORTION, first + count - at)
        const opened = await Promise.all(Array.from({ length }, (_, offset) => openOne(at + offset)))
        for (const scope of opened) requireWhole(scope.row?.note !== undefined, scope.rows('parts').size)
        scopes.push(...opened)
      }
    },
    countedBytes: () => db.live.stats().bytes,
    async letGo() {
      for (let at = 0; at < scopes.length; at += PORTION)
        await Promise.all(scopes.slice(at, at + PORTION).map((scope) => scope.close()))
      scopes = []
    },
    close: () => db.close(),
  }
}
