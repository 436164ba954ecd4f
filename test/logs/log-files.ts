/** Log stores on files of their own. */
import { onTestFinished } from 'vitest'
import { openLogs, type LogsOptions, type LogStore, type StoredEntry } from '../../src/logs/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { databaseFile } from '../support/database-file.ts'

export function logFile(schema = ''): string {
  return databaseFile(schema)
}

/** Closed at the end of the test, if it is still open. */
export async function logsOn(file: string, options?: LogsOptions): Promise<LogStore> {
  const logs = await openLogs(sqlite(file), options)
  onTestFinished(async () => {
    await logs.close().catch(() => undefined)
  })
  return logs
}

/** As `tidemark ingest` makes it. */
export const ingested =
  'CREATE TABLE logs (id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT);'

export function messages(entries: readonly Pick<StoredEntry, 'message'>[]): string[] {
  return entries.map(({ message }) => message)
}

/** The first so many of what comes. */
export async function take<T>(count: number, from: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = []
  if (count === 0) return taken
  for await (const one of from) {
    taken.push(one)
    if (taken.length === count) break
  }
  return taken
}
