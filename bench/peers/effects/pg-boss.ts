/**
 * pg-boss as its pages on queues and workers say that it is fastest: woken by LISTEN/NOTIFY, many jobs a fetch, several
 * workers, and no pause while fetches come back full, https://pgboss.io/api/workers; jobs inserted many a call,
 * https://pgboss.io/api/jobs#insert-name-job-options. What waits or failed is looked for every half second, the shortest
 * that it takes; failed jobs wait for no longer than that, https://pgboss.io/api/queues.
 */
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { itemAt, type Item } from '../../workloads/effects/items.ts'
import { failedOnce, inCalls, type OpenEffectsPeer } from './peer.ts'

const QUEUE = 'order'
const PER_CALL = 5_000
const LOOK_EVERY_SECONDS = 0.5
const WORK = {
  batchSize: 1_000,
  localConcurrency: 2,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: LOOK_EVERY_SECONDS,
  notifyPollingIntervalSeconds: LOOK_EVERY_SECONDS,
}

export const pgBoss: OpenEffectsPeer = async (url) => {
  const boss = new PgBoss({ connectionString: url, useListenNotify: true, max: 25 })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue(QUEUE, { notify: true })
  const pool = new Pool({ connectionString: url, max: 1 })
  return {
    enqueue: (first, count, dueAt) =>
      inCalls({ first, count, perCall: PER_CALL }, (ids) =>
        boss.insert(
          QUEUE,
          ids.map((id) => {
            const due = dueAt?.(id)
            return due === undefined ? { data: itemAt(id) } : { data: itemAt(id), startAfter: new Date(due) }
          }),
        ),
      ),
    enqueueOne: (id) => boss.send(QUEUE, itemAt(id)),
    async work({ handle, mayFail }) {
      // All or nothing is less work for it, where nothing fails.
      if (mayFail)
        await boss.work<Item>(QUEUE, { ...WORK, perJobResults: true }, async (jobs) =>
          jobs.map(({ id, data }) =>
            handle(data.id)
              ? { id, status: 'completed' as const }
              : { id, status: 'failed' as const, output: failedOnce },
          ),
        )
      else
        await boss.work<Item>(QUEUE, WORK, async (jobs) => {
          for (const { data } of jobs) handle(data.id)
        })
      return () => boss.offWork(QUEUE)
    },
    async unfinished() {
      const sql = "SELECT count(*) AS jobs FROM pgboss.job WHERE name = $1 AND state <> 'completed'"
      const { rows } = await pool.query<{ jobs: string }>(sql, [QUEUE])
      return Number(rows[0]?.jobs)
    },
    async close() {
      await pool.end()
      await boss.stop({ graceful: false })
    },
  }
}
