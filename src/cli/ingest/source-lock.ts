/**
 * One ingest at a time for one source and one database. The lock is SQLite's own, on an empty file in the
 * temporary folder: the system lets go of it when the process ends, however it ends, so it can never be stale.
 *
 * It is a courtesy, not the guard: the engine's writer name is that of the source, so a second run that got past
 * the lock (another temporary folder) would fence the first, and still no line would be written twice.
 */
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CommandError, EXIT } from '../failure.ts'

/** @throws CommandError when another run holds it */
export function lockSource(databasePath: string, sourceKey: string, sourceName: string): { release(): void } {
  const id = createHash('sha256')
    .update(`${resolve(databasePath)}\n${sourceKey}`)
    .digest('hex')
    .slice(0, 32)
  const lock = new DatabaseSync(join(tmpdir(), `tidemark-ingest-${id}.lock`), { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!(error instanceof Error) || !('errcode' in error) || error.errcode !== 5) throw error
    throw new CommandError(
      EXIT.busy,
      `${sourceName} is being ingested into ${databasePath} by another process.`,
      'Wait until it is done; then this run would go on where it ended.',
    )
  }
  return { release: () => lock.close() }
}
