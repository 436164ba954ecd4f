/**
 * What an SQLite error means for the write that met it. The codes and their meaning are those of
 * https://www.sqlite.org/rescode.html; `classify.test.ts` holds the whole table.
 */
import { StoreError, type Certainty } from '../../errors.ts'
import { failureOf, nameOf } from '../../sqlite-codes.ts'
import { readHint } from './check.ts'

export const corruptHint =
  'Restore a backup, or rescue the file with the `.recover` command of the sqlite3 shell.'

const hints: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'Another process holds the database lock; the write is tried again until it lets go.',
  SQLITE_FULL: 'The disk, or `maxPageCount`, is full; the write is tried again until there is room.',
  SQLITE_CORRUPT: corruptHint,
  SQLITE_IOERR:
    'The file system could not read or write the file: look at the disk. It is tried again until it works.',
  SQLITE_NOTADB:
    'The file is not an SQLite database, or it is encrypted. If it was one, its first page is damaged: restore a backup.',
  SQLITE_READONLY: 'Give this process write permission on the file and on its folder.',
  SQLITE_CANTOPEN:
    'Check that it is a file, that its folder exists, and that this process may read and write both.',
}

interface SqliteError extends Error {
  readonly errcode: number
}

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/**
 * Anything thrown inside the store, as a `StoreError`. What SQLite did not throw is a value it cannot bind.
 *
 * @param outcome `unknown` when COMMIT itself failed: it may have been carried out all the same
 */
export function toStoreError(error: unknown, outcome: Certainty = 'not-committed'): StoreError {
  if (error instanceof StoreError) return error
  if (!isSqliteError(error))
    return new StoreError('rejected', error instanceof Error ? error.message : String(error), {
      cause: error,
    })
  const storeCode = nameOf(error.errcode)
  const hint = hints[storeCode]
  return new StoreError(failureOf(error.errcode), `${error.message} (${storeCode})`, {
    cause: error,
    storeCode,
    outcome,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** SQLITE_READONLY itself, without an extended code. */
const plainReadonly = 8

/**
 * As `toStoreError`, of a read. It may not write, so that it tried is its own fault and no lack of permission; the
 * extended codes of SQLITE_READONLY still tell of the file.
 */
export function toReadError(error: unknown): StoreError {
  if (!isSqliteError(error) || error.errcode !== plainReadonly) return toStoreError(error)
  return new StoreError('rejected', `a read cannot write: ${error.message} (SQLITE_READONLY)`, {
    cause: error,
    storeCode: 'SQLITE_READONLY',
    hint: readHint,
  })
}
