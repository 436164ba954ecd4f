/** What each error means, as tables: one a database, with the drivers' own shapes of errors. */
import { describe, expect, test } from 'vitest'
import { classifyMysql } from './mysql-errors.ts'
import { classifyPostgres } from '../../../sql/postgres-codes.ts'
import { classifySqlite } from './sqlite-errors.ts'

const coded = (code: string, message = 'told by the database') => Object.assign(new Error(message), { code })
const numbered = (errcode: number) =>
  Object.assign(new Error('told by SQLite'), { code: 'ERR_SQLITE_ERROR', errcode })

/** What every driver passes on. */
const lost: readonly (readonly [error: unknown, failure: string])[] = [
  [coded('ECONNRESET'), 'transient'],
  [coded('ECONNREFUSED'), 'transient'],
  [coded('EPIPE'), 'transient'],
  [coded('ETIMEDOUT'), 'transient'],
  [new Error('Connection terminated unexpectedly'), 'transient'],
  [new Error('timeout exceeded when trying to connect'), 'transient'],
  [new Error("Can't add new command when connection is in closed state"), 'transient'],
  [new Error('Postgres connection has been discarded'), 'transient'],
  [new Error('driver has already been destroyed'), 'fatal'],
  [new Error('Pool is closed.'), 'fatal'],
  [new Error('PGlite is closed'), 'fatal'],
]

describe.each([
  ['sqlite', classifySqlite],
  ['postgres', classifyPostgres],
  ['mysql', classifyMysql],
])('%s', (_, classify) => {
  test.each(lost)(
    'law 5 · a lost connection is transient, a destroyed instance fatal: %s',
    (error, failure) => {
      expect(classify(error)).toMatchObject({ failure, isViolation: false })
    },
  )

  test('what the driver itself cannot write is the operation’s fault', () => {
    for (const error of [new TypeError('cannot bind'), new RangeError('too few'), 'no error at all'])
      expect(classify(error).failure).toBe('rejected')
  })
})

const sqlite: readonly (readonly [error: unknown, failure: string, code: string])[] = [
  [coded('SQLITE_BUSY'), 'transient', 'SQLITE_BUSY'],
  [coded('SQLITE_BUSY_SNAPSHOT'), 'transient', 'SQLITE_BUSY'],
  [coded('SQLITE_LOCKED_SHAREDCACHE'), 'transient', 'SQLITE_LOCKED'],
  [coded('SQLITE_FULL'), 'transient', 'SQLITE_FULL'],
  [coded('SQLITE_IOERR_FSYNC'), 'transient', 'SQLITE_IOERR'],
  [coded('SQLITE_CORRUPT_VTAB'), 'fatal', 'SQLITE_CORRUPT'],
  [coded('SQLITE_READONLY_DBMOVED'), 'fatal', 'SQLITE_READONLY'],
  [coded('SQLITE_NOTADB'), 'fatal', 'SQLITE_NOTADB'],
  [coded('SQLITE_CONSTRAINT_UNIQUE'), 'rejected', 'SQLITE_CONSTRAINT_UNIQUE'],
  [coded('SQLITE_MISMATCH'), 'rejected', 'SQLITE_MISMATCH'],
  [coded('SQLITE_ERROR'), 'rejected', 'SQLITE_ERROR'],
  [numbered(5), 'transient', 'SQLITE_BUSY'],
  [numbered(517), 'transient', 'SQLITE_BUSY'],
  [numbered(2067), 'rejected', 'SQLITE_CONSTRAINT_UNIQUE'],
  [new RangeError('Too few parameter values were provided'), 'rejected', 'SQLITE_RANGE'],
]
test.each(sqlite)('SQLite: %s is %s, told as %s', (error, failure, code) => {
  expect(classifySqlite(error)).toMatchObject({
    failure,
    code,
    isViolation: code.startsWith('SQLITE_CONSTRAINT'),
  })
})

const postgres: readonly (readonly [code: string, failure: string, isViolation: boolean])[] = [
  ['08006', 'transient', false],
  ['08P01', 'rejected', false],
  ['22001', 'rejected', false],
  ['22021', 'rejected', false],
  ['23502', 'rejected', true],
  ['23505', 'rejected', true],
  ['23P01', 'rejected', true],
  ['25006', 'transient', false],
  ['25P02', 'transient', false],
  ['28P01', 'fatal', false],
  ['3D000', 'fatal', false],
  ['40001', 'transient', false],
  ['40002', 'rejected', false],
  ['40P01', 'transient', false],
  ['42P01', 'rejected', false],
  ['42501', 'rejected', false],
  ['53100', 'transient', false],
  ['53300', 'transient', false],
  ['55P03', 'transient', false],
  ['55000', 'rejected', false],
  ['57014', 'transient', false],
  ['57P01', 'transient', false],
  ['57P04', 'fatal', false],
  ['58030', 'transient', false],
  ['P0001', 'rejected', false],
  ['XX001', 'fatal', false],
]
test.each(postgres)('PostgreSQL: %s is %s (a violation: %s)', (code, failure, isViolation) => {
  expect(classifyPostgres(coded(code))).toMatchObject({ failure, code, isViolation })
})

const mysql: readonly (readonly [code: string, failure: string, isViolation: boolean])[] = [
  ['ER_LOCK_DEADLOCK', 'transient', false],
  ['ER_LOCK_WAIT_TIMEOUT', 'transient', false],
  ['ER_QUERY_INTERRUPTED', 'transient', false],
  ['ER_SERVER_SHUTDOWN', 'transient', false],
  ['ER_DISK_FULL', 'transient', false],
  ['ER_OPTION_PREVENTS_STATEMENT', 'transient', false],
  ['ER_NET_PACKET_TOO_LARGE', 'transient', false],
  ['PROTOCOL_CONNECTION_LOST', 'transient', false],
  ['ER_ACCESS_DENIED_ERROR', 'fatal', false],
  ['ER_BAD_DB_ERROR', 'fatal', false],
  ['ER_DUP_ENTRY', 'rejected', true],
  ['ER_BAD_NULL_ERROR', 'rejected', true],
  ['ER_NO_REFERENCED_ROW_2', 'rejected', true],
  ['ER_DATA_TOO_LONG', 'rejected', false],
  ['ER_NO_SUCH_TABLE', 'rejected', false],
  ['ER_PARSE_ERROR', 'rejected', false],
  ['WARN_DATA_TRUNCATED', 'rejected', false],
]
test.each(mysql)('MySQL: %s is %s (a violation: %s)', (code, failure, isViolation) => {
  expect(classifyMysql(coded(code))).toMatchObject({ failure, code, isViolation })
})
