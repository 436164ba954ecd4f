/**
 * BullMQ on a Redis that keeps an append-only file, synced every second, and evicts nothing, as
 * https://docs.bullmq.io/guide/going-to-production asks for; jobs added many a call
 * (https://docs.bullmq.io/guide/queues/adding-bulks), many done at once
 * (https://docs.bullmq.io/guide/workers/concurrency), and gone when they are done
 * (https://docs.bullmq.io/guide/queues/auto-removal-of-jobs). A failed job is tried again at once
 * (https://docs.bullmq.io/guide/retrying-failing-jobs). Handlers that take many jobs are not in the open version.
 */
import { Queue, Worker, type Job } from 'bullmq'
import { itemAt, type Item } from '../../workloads/effects/items.ts'
import { failedOnce, inCalls, type OpenEffectsPeer } from './peer.ts'

const NAME = 'order'
const PER_CALL = 1_000
const CONCURRENCY = 50

export const bullmq: OpenEffectsPeer = async (url) => {
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port) }
  const queue = new Queue<Item>(NAME, {
    connection,
    defaultJobOptions: { attempts: 20, removeOnComplete: true },
  })
  await queue.waitUntilReady()
  return {
    enqueue: (first, count, dueAt) =>
      inCalls({ first, count, perCall: PER_CALL }, (ids) => {
        const now = Date.now()
        return queue.addBulk(
          ids.map((id) => {
            const due = dueAt?.(id)
            const job = { name: NAME, data: itemAt(id) }
            return due === undefined ? job : { ...job, opts: { delay: Math.max(0, due - now) } }
          }),
        )
      }),
    enqueueOne: (id) => queue.add(NAME, itemAt(id)),
    async work({ handle }) {
      const worker = new Worker<Item>(
        NAME,
        async ({ data: { id } }: Job<Item>) => {
          if (!handle(id)) throw failedOnce
        },
        { connection, concurrency: CONCURRENCY },
      )
      worker.on('error', (error) => console.error(error))
      await worker.waitUntilReady()
      return () => worker.close()
    },
    async unfinished() {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'failed')
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    close: () => queue.close(),
  }
}
