/** What the command line says of a database that cannot be used. */
import { StoreError } from '../errors.ts'
import { toStoreError } from '../stores/sqlite/classify.ts'
import { CommandError, EXIT } from './failure.ts'

/** What the user of a command can do; the engine's own hints are for programs, which go on trying. */
const hints: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'Another process holds its lock. Wait until it lets go, then run the same command again.',
  SQLITE_CANTOPEN: 'Check the path given with --db, and that its folder exists and may be written to.',
  SQLITE_FULL: 'Make room on the disk, then run the same command again.',
  SQLITE_IOERR: 'Check the path given with --db: is it a file, on a disk that works?',
  SQLITE_NOTADB: 'Check the path given with --db: this file is something else.',
  SQLITE_READONLY:
    'Give this user write permission on the file and on its folder, or name another with --db.',
}

export function databaseError(path: string, error: unknown): CommandError {
  const { message, storeCode, hint } = toStoreError(error)
  const reason = message.replace(/^tidemark: /, '')
  // The store says itself what it could not open.
  return new CommandError(
    EXIT.failed,
    error instanceof StoreError ? `${reason}.` : `cannot open "${path}": ${reason}.`,
    hints[storeCode ?? ''] ?? hint,
  )
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return toStoreError(error).storeCode === 'SQLITE_BUSY'
}
