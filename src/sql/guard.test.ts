/** SQL of the user's own, by its text: what may not end a transaction or touch the tables that carry the laws. */
import { expect, test } from 'vitest'
import { mysqlDialect } from '../stores/kysely/dialects/mysql.ts'
import { postgresDialect } from '../stores/kysely/dialects/postgres.ts'
import { sqliteDialect } from '../stores/kysely/dialects/sqlite.ts'
import { checkInTransaction, checkRead, checkWritten, requireOneEffect } from './guard.ts'

const all = [sqliteDialect, postgresDialect, mysqlDialect]

test.each(['SELECT 1', ' (SELECT 1)', "WITH a AS (SELECT ';') SELECT * FROM a;", 'VALUES (1) -- ; COMMIT'])(
  'a read is let through: %s',
  (sql) => {
    for (const dialect of all) expect(() => checkRead(dialect, sql)).not.toThrow()
  },
)

test.each([
  '',
  '-- nothing',
  'BEGIN',
  'SELECT 1; COMMIT',
  'select 1;;drop table songs',
  'PRAGMA user_version = 5',
  'DELETE FROM songs',
  '/* SELECT */ SET x = 1',
])('law 3 · what is no read is refused: %s', (sql) => {
  for (const dialect of all)
    expect(() => checkRead(dialect, sql)).toThrow(expect.objectContaining({ failure: 'rejected' }))
})

test('what begins with no word of SQL is left to the database, which says it better', () => {
  for (const dialect of all) expect(() => checkRead(dialect, 'SELEC 1')).not.toThrow()
})

test('a text ends where its database says: what stands in it is no statement, and what only looks so is', () => {
  expect(() => checkRead(postgresDialect, "SELECT $$a; b$$, $t$ $$; $t$, E'\\'; x'")).not.toThrow()
  expect(() => checkRead(postgresDialect, "SELECT E'\\' '; COMMIT; --'")).toThrow(/more than one/)
  expect(() => checkRead(mysqlDialect, `SELECT 'it\\'s; so', "double; quoted" # ; COMMIT`)).not.toThrow()
  expect(() => checkRead(mysqlDialect, "SELECT 'a\\\\'; COMMIT")).toThrow(/more than one/)
  expect(() => checkRead(mysqlDialect, 'SELECT 1 /*! ; COMMIT */')).toThrow(/more than one/)
  expect(() => checkRead(sqliteDialect, 'SELECT [a;b] FROM t')).not.toThrow()
  expect(() => checkRead(postgresDialect, 'SELECT a[1]; COMMIT')).toThrow(/more than one/)
})

test.each([
  'UPDATE tidemark_writers SET watermark = 0',
  'DELETE FROM "Tidemark_Checkpoints"',
  'DELETE FROM public.tidemark_dead_letters',
  'WITH a AS (SELECT 1) DELETE FROM `tidemark_writers`',
])('law 3 · no statement touches the tables that carry the laws: %s', (sql) => {
  for (const dialect of all) {
    const refused = expect.objectContaining({ storeCode: dialect.codes.denied }) as unknown as Error
    expect(() => checkWritten(dialect, sql)).toThrow(refused)
    expect(() => checkInTransaction(dialect, sql)).toThrow(refused)
  }
})

test('law 3 · a name spelt in code points is refused: it could be any', () => {
  expect(() => checkWritten(postgresDialect, 'DELETE FROM U&"\\0074idemark_writers"')).toThrow(/Tidemark/)
})

test('their names in a text are no names, and a transaction may read them', () => {
  for (const dialect of all) {
    expect(() => checkWritten(dialect, "INSERT INTO t VALUES ('tidemark_writers')")).not.toThrow()
    expect(() => checkInTransaction(dialect, 'SELECT * FROM tidemark_writers')).not.toThrow()
  }
})

test('a WITH that only reads is no write', () => {
  for (const dialect of all)
    expect(() => checkWritten(dialect, 'WITH a AS (SELECT 1) SELECT * FROM a')).toThrow(/changes nothing/)
})

test('law 4 · where a change of the schema commits, a transaction holds nothing else', () => {
  for (const dialect of all) {
    const made = checkInTransaction(dialect, 'CREATE TABLE t (id int)')
    const written = checkInTransaction(dialect, 'INSERT INTO t VALUES (1)')
    const together = () => requireOneEffect(dialect, written, made)
    if (dialect.schemaChangesCommit) expect(together).toThrow(/would commit/)
    else expect(together).not.toThrow()
    expect(() => requireOneEffect(dialect, made, made)).not.toThrow()
    expect(() => requireOneEffect(dialect, made, checkInTransaction(dialect, 'SELECT 1'))).not.toThrow()
  }
})
