import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { StoreError, type StoreFailure } from '../../errors.ts'
import { failureOf, nameOf } from '../../sqlite-codes.ts'
import { isSqliteError, toReadError, toStoreError } from './classify.ts'

/** Every primary result code: https://www.sqlite.org/rescode.html */
const primary: readonly (readonly [code: number, name: string, failure: StoreFailure])[] = [
  [1, 'SQLITE_ERROR', 'rejected'],
  [2, 'SQLITE_INTERNAL', 'fatal'],
  [3, 'SQLITE_PERM', 'fatal'],
  [4, 'SQLITE_ABORT', 'transient'],
  [5, 'SQLITE_BUSY', 'transient'],
  [6, 'SQLITE_LOCKED', 'transient'],
  [7, 'SQLITE_NOMEM', 'transient'],
  [8, 'SQLITE_READONLY', 'fatal'],
  [9, 'SQLITE_INTERRUPT', 'transient'],
  [10, 'SQLITE_IOERR', 'transient'],
  [11, 'SQLITE_CORRUPT', 'fatal'],
  [12, 'SQLITE_12', 'rejected'],
  [13, 'SQLITE_FULL', 'transient'],
  [14, 'SQLITE_CANTOPEN', 'transient'],
  [15, 'SQLITE_PROTOCOL', 'transient'],
  [16, 'SQLITE_16', 'rejected'],
  [17, 'SQLITE_SCHEMA', 'transient'],
  [18, 'SQLITE_TOOBIG', 'rejected'],
  [19, 'SQLITE_CONSTRAINT', 'rejected'],
  [20, 'SQLITE_MISMATCH', 'rejected'],
  [21, 'SQLITE_MISUSE', 'fatal'],
  [22, 'SQLITE_NOLFS', 'fatal'],
  [23, 'SQLITE_AUTH', 'rejected'],
  [24, 'SQLITE_24', 'rejected'],
  [25, 'SQLITE_RANGE', 'rejected'],
  [26, 'SQLITE_NOTADB', 'fatal'],
]

const extended: readonly (readonly [code: number, name: string, failure: StoreFailure])[] = [
  [261, 'SQLITE_BUSY', 'transient'], // BUSY_RECOVERY
  [517, 'SQLITE_BUSY', 'transient'], // BUSY_SNAPSHOT
  [773, 'SQLITE_BUSY', 'transient'], // BUSY_TIMEOUT
  [262, 'SQLITE_LOCKED', 'transient'], // LOCKED_SHAREDCACHE
  [516, 'SQLITE_ABORT', 'transient'], // ABORT_ROLLBACK
  [264, 'SQLITE_READONLY', 'fatal'], // READONLY_RECOVERY
  [1032, 'SQLITE_READONLY', 'fatal'], // READONLY_DBMOVED
  [266, 'SQLITE_IOERR', 'transient'], // IOERR_READ
  [778, 'SQLITE_IOERR', 'transient'], // IOERR_WRITE
  [1034, 'SQLITE_IOERR', 'transient'], // IOERR_FSYNC
  [267, 'SQLITE_CORRUPT', 'fatal'], // CORRUPT_VTAB
  [270, 'SQLITE_CANTOPEN', 'transient'], // CANTOPEN_NOTEMPDIR
  [257, 'SQLITE_ERROR', 'rejected'], // ERROR_MISSING_COLLSEQ
  [513, 'SQLITE_ERROR', 'rejected'], // ERROR_RETRY
  [275, 'SQLITE_CONSTRAINT_CHECK', 'rejected'],
  [531, 'SQLITE_CONSTRAINT_COMMITHOOK', 'rejected'],
  [787, 'SQLITE_CONSTRAINT_FOREIGNKEY', 'rejected'],
  [1043, 'SQLITE_CONSTRAINT_FUNCTION', 'rejected'],
  [1299, 'SQLITE_CONSTRAINT_NOTNULL', 'rejected'],
  [1555, 'SQLITE_CONSTRAINT_PRIMARYKEY', 'rejected'],
  [1811, 'SQLITE_CONSTRAINT_TRIGGER', 'rejected'],
  [2067, 'SQLITE_CONSTRAINT_UNIQUE', 'rejected'],
  [2323, 'SQLITE_CONSTRAINT_VTAB', 'rejected'],
  [2579, 'SQLITE_CONSTRAINT_ROWID', 'rejected'],
  [2835, 'SQLITE_CONSTRAINT_PINNED', 'rejected'],
  [3091, 'SQLITE_CONSTRAINT_DATATYPE', 'rejected'],
]

for (const [code, name, failure] of [...primary, ...extended]) {
  test(`law 5 · ${code} is ${name} and ${failure}`, () => {
    expect([nameOf(code), failureOf(code)]).toEqual([name, failure])
  })
}

test('an error of the driver becomes a StoreError with its name, its words and a hint', () => {
  const error = toStoreError(Object.assign(new Error('database is locked'), { errcode: 5 }))
  expect(error).toBeInstanceOf(StoreError)
  expect(error).toMatchObject({
    code: 'STORE_FAILED',
    failure: 'transient',
    retryable: true,
    storeCode: 'SQLITE_BUSY',
    message: 'tidemark: database is locked (SQLITE_BUSY)',
  })
  expect(error.hint).toMatch(/lock/)
})

test('a StoreError stays itself, and what the driver throws of its own is a rejected value', () => {
  const own = new StoreError('chain', 'not there')
  expect(toStoreError(own)).toBe(own)
  expect(toStoreError(new TypeError('cannot be bound'))).toMatchObject({ failure: 'rejected' })
  expect(toStoreError('no error at all')).toMatchObject({ failure: 'rejected' })
})

test('what node:sqlite throws carries the code that is looked for', () => {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER) STRICT; INSERT INTO t VALUES (1, 1)')
  const thrown = (sql: string): unknown => {
    try {
      database.exec(sql)
    } catch (error) {
      return isSqliteError(error) ? nameOf(error.errcode) : error
    }
    return 'nothing'
  }
  expect(thrown('INSERT INTO t VALUES (1, 1)')).toBe('SQLITE_CONSTRAINT_PRIMARYKEY')
  expect(thrown("INSERT INTO t VALUES (2, 'a')")).toBe('SQLITE_CONSTRAINT_DATATYPE')
  expect(thrown('INSERT INTO nowhere VALUES (1)')).toBe('SQLITE_ERROR')
  database.close()
})

test('that a read may not write is told from a file that cannot be written', () => {
  const failed = (errcode: number) => toReadError(Object.assign(new Error('readonly'), { errcode }))
  expect(failed(8)).toMatchObject({ failure: 'rejected', storeCode: 'SQLITE_READONLY' })
  expect(failed(264)).toMatchObject({ failure: 'fatal', storeCode: 'SQLITE_READONLY' })
  expect(failed(5)).toMatchObject({ failure: 'transient', storeCode: 'SQLITE_BUSY' })
})
