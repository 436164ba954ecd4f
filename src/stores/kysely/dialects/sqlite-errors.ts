/**
 * What an error of an SQLite driver means. better-sqlite3 and libSQL name the extended result code, node:sqlite and
 * others give its number.
 */
import { failureNamed, nameOf } from '../../../sqlite-codes.ts'
import type { Failure } from '../../../sql/dialect.ts'
import { codeOf, driverFailure } from '../../../sql/failure.ts'

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
    failure: failureNamed(primary),
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
  return nameOf(error.errcode)
}
