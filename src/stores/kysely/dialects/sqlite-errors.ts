/**
 * What an error of an SQLite driver means. better-sqlite3 and libSQL name the extended result code, node:sqlite and
 * others give its number. The codes and their meaning: https://www.sqlite.org/rescode.html
 */
import type { Failure } from '../dialect.ts'
import { codeOf, driverFailure } from '../failure.ts'

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
const transient = new Set(
  'BUSY LOCKED NOMEM INTERRUPT IOERR FULL CANTOPEN PROTOCOL SCHEMA ABORT'
    .split(' ')
    .map((name) => `SQLITE_${name}`),
)
const fatal = new Set(
  'CORRUPT NOTADB READONLY PERM MISUSE NOLFS INTERNAL'.split(' ').map((name) => `SQLITE_${name}`),
)

const hints: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'Another process holds the database lock; the write is tried again until it lets go.',
  SQLITE_FULL: 'The disk is full; the write is tried again until there is room.',
  SQLITE_CORRUPT: 'Restore a backup, or rescue the file with the `.recover` command of the sqlite3 shell.',
  SQLITE_READONLY: 'Give this process write permission on the file and on its folder.',
}

export function classifySqlite(error: unknown): Failure {
  const code = sqliteCode(error)
  if (code === undefined) {
    const failure = driverFailure(error)
    if (failure) return failure
    // The driver's own word, before SQLite saw it: a value, or a number of values, that the statement does not take.
    const isRange = error instanceof RangeError
    return { failure: 'rejected', code: isRange ? 'SQLITE_RANGE' : 'SQLITE_MISMATCH', isViolation: false }
  }
  const primary = code.split('_').slice(0, 2).join('_')
  const hint = hints[primary]
  return {
    failure: transient.has(primary) ? 'transient' : fatal.has(primary) ? 'fatal' : 'rejected',
    code: primary === 'SQLITE_CONSTRAINT' ? code : primary,
    isViolation: primary === 'SQLITE_CONSTRAINT',
    ...(hint === undefined ? {} : { hint }),
  }
}

function sqliteCode(error: unknown): string | undefined {
  const code = codeOf(error)
  if (code?.startsWith('SQLITE_')) return code
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return names[error.errcode] ?? names[error.errcode & 0xff] ?? `SQLITE_${error.errcode}`
}
