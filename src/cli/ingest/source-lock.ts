/**
 * One ingest at a time for one source and one database. The lock is SQLite's own, on an empty file in the
 * temporary folder: the system lets go of it when the process ends, however it ends, so it can never be stale.
 *
 * It is a courtesy, not the guard: the engine's writer name is that of the source, so a second run that got past
 * the lock (another user, another temporary folder) fences the first, and still no line is written twice.
 */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isBusy } from '../database-error.ts'
import type { Database } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'

export interface SourceLock {
  release(): void
}

/** @throws CommandError when another run holds it */
export function lockSource(database: Database, sourceKey: string, sourceName: string): SourceLock {
  const path = lockPath(database, sourceKey)
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(path, { timeout: 0 })
    lock.exec('PRAGMA locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock?.close()
    // A temporary folder that cannot be used costs the courtesy only.
    if (!isBusy(error)) return { release: () => undefined }
    throw new CommandError(
      EXIT.busy,
      `${sourceName} is being ingested into ${database.name} by another process.`,
      'Wait until it is done; then the same command goes on where it ended.',
    )
  }
  const held = lock
  return {
    release: () => {
      rmSync(path, { force: true })
      held.close()
    },
  }
}

/** Of each user one, since nobody may write to the files of others. */
function lockPath(database: Database, sourceKey: string): string {
  const where = database.kind === 'sqlite' ? resolve(database.path) : database.name
  const id = createHash('sha256')
    .update([userInfo().uid, where, sourceKey].join('\n'))
    .digest('hex')
    .slice(0, 32)
  return join(tmpdir(), `tidemark-ingest-${id}.lock`)
}
