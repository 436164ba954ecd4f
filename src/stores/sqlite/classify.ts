/**
 * What an SQLite error means for the write that met it. The codes and their meaning are those of
 * https://www.sqlite.org/rescode.html; `classify.test.ts` holds the whole table.
 */
import type { StoreFailure } from '../../errors.ts'
import { StoreError } from '../../errors.ts'
import { readHint } from './check.ts'

/** Primary result codes by their number. */
const names: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  2: 'SQLITE_INTERNAL',
  3: 'SQLITE_PERM',
  4: 'SQLITE_ABORT',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  9: 'SQLITE_INTERRUPT',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  17: 'SQLITE_SCHEMA',
  18: 'SQLITE_TOOBIG',
  19: 'SQLITE_CONSTRAINT',
  20: 'SQLITE_MISMATCH',
  21: 'SQLITE_MISUSE',
  22: 'SQLITE_NOLFS',
  23: 'SQLITE_AUTH',
  25: 'SQLITE_RANGE',
  26: 'SQLITE_NOTADB',
}

/** The kinds of SQLITE_CONSTRAINT that people look for by name. */
const constraintNames: Readonly<Record<number, string>> = {
  275: 'SQLITE_CONSTRAINT_CHECK',
  531: 'SQLITE_CONSTRAINT_COMMITHOOK',
  787: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  1043: 'SQLITE_CONSTRAINT_FUNCTION',
  1299: 'SQLITE_CONSTRAINT_NOTNULL',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  1811: 'SQLITE_CONSTRAINT_TRIGGER',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
  2323: 'SQLITE_CONSTRAINT_VTAB',
  2579: 'SQLITE_CONSTRAINT_ROWID',
  2835: 'SQLITE_CONSTRAINT_PINNED',
  3091: 'SQLITE_CONSTRAINT_DATATYPE',
}

const transient = new Set([
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_NOMEM',
  'SQLITE_INTERRUPT',
  'SQLITE_IOERR',
  'SQLITE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_PROTOCOL',
  'SQLITE_SCHEMA',
  'SQLITE_ABORT',
])
const fatal = new Set([
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_READONLY',
  'SQLITE_PERM',
  'SQLITE_MISUSE',
  'SQLITE_NOLFS',
  'SQLITE_INTERNAL',
])

const hints: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'Another process holds the database lock; the write is tried again until it lets go.',
  SQLITE_FULL: 'The disk, or `maxPageCount`, is full; the write is tried again until there is room.',
  SQLITE_CORRUPT: 'Restore a backup, or rescue the file with the `.recover` command of the sqlite3 shell.',
  SQLITE_NOTADB: 'The file is not an SQLite database, or it is encrypted.',
  SQLITE_READONLY: 'Give this process write permission on the file and on its folder.',
  SQLITE_CANTOPEN:
    'Check that it is a file, that its folder exists, and that this process may read and write both.',
}

/** The name of an extended result code. */
export function nameOf(errcode: number): string {
  const primary = names[errcode & 0xff] ?? `SQLITE_${errcode}`
  return constraintNames[errcode] ?? primary
}

export function failureOf(errcode: number): StoreFailure {
  const primary = names[errcode & 0xff] ?? ''
  if (transient.has(primary)) return 'transient'
  if (fatal.has(primary)) return 'fatal'
  return 'rejected'
}

interface SqliteError extends Error {
  readonly errcode: number
}

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/** Anything thrown inside the store, as a `StoreError`. What SQLite did not throw is a value it cannot bind. */
export function toStoreError(error: unknown): StoreError {
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
    ...(hint === undefined ? {} : { hint }),
  })
}

/**
 * As `toStoreError`, of a read. It may not write, so that it tried is its own fault and no lack of permission; the
 * extended codes of SQLITE_READONLY still tell of the file.
 */
export function toReadError(error: unknown): StoreError {
  if (!isSqliteError(error) || names[error.errcode] !== 'SQLITE_READONLY') return toStoreError(error)
  return new StoreError('rejected', `a read cannot write: ${error.message} (SQLITE_READONLY)`, {
    cause: error,
    storeCode: 'SQLITE_READONLY',
    hint: readHint,
  })
}
