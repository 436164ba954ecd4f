/** The process of the server: it listens, says where, and ends when it is told to. */
import { serve } from '../../../src/server/index.ts'
import type { LogJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { openLogStore } from '../../peers/logs/tidemark.ts'

export const serveLogs: Workload<Usage, LogJob> = async (job, pause) => {
  const logs = await openLogStore(job.file, { batch: { maxOperations: job.rowsPerCommit } })
  const server = await serve({ logs, port: 0, dashboard: false })
  let stop: (() => Usage) | undefined
  // What comes before the first row is the client's start.
  const stopListening = logs.tidemark.on('commit', () => (stop ??= startMeter()))
  await pause(server.url)
  const usage = (stop ?? startMeter())()
  stopListening()
  await server.close()
  await logs.close()
  return usage
}
