/**
 * Graphile Worker with the settings with which its own page measures it, https://worker.graphile.org/docs/performance:
 * 24 jobs at once on 25 connections, a local queue of 500, completions and failures told in batches without delay. Jobs are
 * added many a call as that page's test does, https://worker.graphile.org/docs/sql-add-job, or with `addJob()`. How long a
 * failed job waits is not to be set, https://worker.graphile.org/docs/exponential-backoff: 2.7 s the first time.
 */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { Pool } from 'pg'
import { itemAt } from '../../workloads/effects/items.ts'
import { failedOnce, inCalls, type OpenEffectsPeer } from './peer.ts'

const TASK = 'order'
const PER_CALL = 10_000
const CONNECTIONS = 25
const ADD_JOBS =
  'SELECT 1 FROM graphile_worker.add_jobs(ARRAY(SELECT json_populate_recordset(null::graphile_worker.job_spec, $1::json)))'

/** It writes a line for each job otherwise. */
const logger = new Logger(() => () => undefined)

export const graphileWorker: OpenEffectsPeer = async (url) => {
  const pgPool = new Pool({ connectionString: url, max: CONNECTIONS })
  const utils = await makeWorkerUtils({ pgPool, logger })
  await utils.migrate()
  return {
    enqueue: (first, count, dueAt) =>
      inCalls({ first, count, perCall: PER_CALL }, (ids) => {
        const jobs = ids.map((id) => {
          const due = dueAt?.(id)
          const job = { identifier: TASK, payload: itemAt(id) }
          return due === undefined ? job : { ...job, run_at: new Date(due) }
        })
        return pgPool.query(ADD_JOBS, [JSON.stringify(jobs)])
      }),
    enqueueOne: (id) => utils.addJob(TASK, itemAt(id)),
    async work({ handle }) {
      const runner = await run({
        pgPool,
        noHandleSignals: true,
        taskList: {
          [TASK]: async ({ id }) => {
            if (!handle(id)) throw failedOnce
          },
        },
        preset: {
          worker: {
            logger,
            concurrentJobs: CONNECTIONS - 1,
            maxPoolSize: CONNECTIONS,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
      })
      return () => runner.stop()
    },
    async unfinished() {
      const { rows } = await pgPool.query<{ jobs: string }>(
        'SELECT count(*) AS jobs FROM graphile_worker.jobs',
      )
      return Number(rows[0]?.jobs)
    },
    async close() {
      await utils.release()
      await pgPool.end()
    },
  }
}
