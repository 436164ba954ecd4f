/** The real server on a database of its own. */
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { openLogs, type LogEntry, type LogStore } from '../../src/logs/index.ts'
import { serve, type ServeOptions } from '../../src/server/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { temporaryFolder } from '../support/database-file.ts'

export interface Stage {
  readonly logs: LogStore
  readonly url: string
  /** Stores entries, one behind the other, and waits until they are committed. */
  store(...entries: (LogEntry | string)[]): Promise<void>
}

export async function stage(options: Partial<ServeOptions> = {}): Promise<Stage> {
  const logs = await openLogs(sqlite(path.join(temporaryFolder(), 'logs.db')))
  const server = await serve({ logs, port: 0, ...options })
  onTestFinished(async () => {
    await server.close({ drainMs: 1_000 })
    await logs.close()
  })
  return {
    logs,
    url: server.url,
    async store(...entries) {
      const receipts = entries.map((entry) =>
        logs.store(typeof entry === 'string' ? { message: entry } : entry),
      )
      await Promise.all(receipts)
    },
  }
}
