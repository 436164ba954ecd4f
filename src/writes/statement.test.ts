import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Dialect } from '../contracts/store.ts'
import { checkStatement, readQuery, type WriteQuery } from './statement.ts'

/** Pieces of SQL that hold what ends or hides a statement, in every way of quoting that SQLite knows. */
const inside = fc.string({ unit: fc.constantFrom(';', "'", '"', '`', '-', '/', '*', 'B', ' ', '\n', '🌊') })
const piece = fc.oneof(
  inside.map((text) => `'${text.replaceAll("'", "''")}'`),
  inside.map((text) => `"${text.replaceAll('"', '""')}"`),
  inside.map((text) => `\`${text.replaceAll('`', '``')}\``),
  inside.map((text) => `[${text}]`),
  inside.map((text) => `--${text.replaceAll('\n', ' ')}\n`),
  inside.map((text) => `/*${text.replaceAll('*', '+')} */`),
  fc.constantFrom(
    'INTO',
    'songs',
    '(',
    ')',
    ',',
    '?',
    '?1',
    ':name',
    '5',
    '=',
    '<>',
    '||',
    'BEGIN',
    '𝒳',
    'ö',
  ),
)
const blank = fc.constantFrom(' ', '\n', '\t', '\r\n')
const pieces = fc.array(
  fc.tuple(piece, blank).map(([text, after]) => text + after),
  { maxLength: 12 },
)

test('law 3 · no semicolon inside quotes or a comment splits a statement', () => {
  fc.assert(
    fc.property(pieces, fc.constantFrom('', ';', ' ; ;', '; -- the end', ';/* the; end'), (parts, end) => {
      checkStatement(`INSERT ${parts.join('')}${end}`, 'sqlite')
    }),
    { numRuns: 1_000 },
  )
})

test('law 3 · a second statement is found, whatever stands before it', () => {
  fc.assert(
    fc.property(pieces, fc.constantFrom('DELETE', 'BEGIN', "'text'", '(', '"name"', '5'), (parts, second) => {
      expect(() => checkStatement(`UPDATE ${parts.join('')};${second}`, 'sqlite')).toThrow(
        /more than one statement/,
      )
    }),
    { numRuns: 1_000 },
  )
})

test('the first word decides, past comments and in any case', () => {
  for (const sql of ['insert', 'Replace', 'UPDATE', ' delete', '\n--x\n/*;*/with', '\ufeffINSERT'])
    expect(() => checkStatement(sql, 'sqlite'), sql).not.toThrow()
  for (const sql of [
    'begin',
    'COMMIT',
    'pragma x',
    'select 1',
    '/*INSERT*/ ROLLBACK',
    "'INSERT'",
    '(INSERT',
    '"INSERT"',
    'INSERTED',
    '1',
  ])
    expect(() => checkStatement(sql, 'sqlite'), sql).toThrow(/begins with/)
  for (const sql of ['', '  ', '--', '/* INSERT', ';;;'])
    expect(() => checkStatement(sql, 'sqlite'), sql).toThrow(/is empty/)
})

test('a refusal shows the beginning of the statement, and what to do', () => {
  const sql = `PRAGMA ${'x'.repeat(500)}`
  expect(() => checkStatement(sql, 'sqlite')).toThrow(
    expect.objectContaining({
      code: 'BAD_STATEMENT',
      message: `tidemark: the statement "${sql.slice(0, 80)}…" begins with PRAGMA. Nothing was queued.`,
      hint: expect.stringContaining('db.read()') as string,
    }),
  )
})

test('queries of Kysely, of Drizzle and of a caller read the same', () => {
  const read = { sql: 'DELETE FROM a WHERE b = ?', parameters: [1] }
  expect(readQuery(read)).toEqual(read)
  expect(readQuery({ compile: () => read })).toEqual(read)
  expect(readQuery({ toSQL: () => ({ sql: read.sql, params: [1] }) })).toEqual(read)
  for (const wrong of [
    null,
    undefined,
    1,
    'DELETE',
    {},
    { sql: 'x' },
    { sql: 1, parameters: [] },
    { compile: 1 },
  ])
    expect(() => readQuery(wrong as unknown as WriteQuery)).toThrow(
      expect.objectContaining({ code: 'INVALID_CALL' }),
    )
})

test('law 3 · each database has its own quotes: what is inside splits nothing, and hides nothing', () => {
  const whole: Record<Dialect, string[]> = {
    sqlite: ["INSERT INTO t VALUES ('a\\'); -- b"],
    postgres: [
      'INSERT INTO t VALUES ($$a; DELETE$$)',
      "INSERT INTO t VALUES ($x$ $$; $x$, E'it\\'s; so', ARRAY[1, 2])",
      'MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE',
    ],
    mysql: ["INSERT INTO t VALUES ('it\\'s; so') # ; DELETE", 'INSERT INTO t VALUES ("a\\"; b")'],
    surrealql: [
      "CREATE t SET a = 'it\\'s; so' // ; DELETE",
      'CREATE t SET a = r"t:1"; # ; DELETE',
      'UPSERT t:⟨a; b⟩ SET `a;b` = 1',
    ],
  }
  const split: Record<Dialect, string[]> = {
    sqlite: ["INSERT INTO t VALUES ('a\\'); DELETE FROM t -- '"],
    postgres: [
      "INSERT INTO t VALUES ('a\\'); DELETE FROM t -- '",
      'INSERT INTO t VALUES ($$a$$); DELETE FROM t',
    ],
    mysql: ["INSERT INTO t VALUES ('a\\\\'); DELETE FROM t", 'INSERT INTO t VALUES (1) --1; DELETE'],
    surrealql: ["CREATE t SET a = 'b\\\\'; DELETE t", 'CREATE t /* ; */ ; DELETE t'],
  }
  for (const dialect of ['sqlite', 'postgres', 'mysql', 'surrealql'] as const) {
    for (const sql of whole[dialect])
      expect(() => checkStatement(sql, dialect), `${dialect} ${sql}`).not.toThrow()
    for (const sql of split[dialect])
      expect(() => checkStatement(sql, dialect), `${dialect} ${sql}`).toThrow(/more than one statement/)
  }
  expect(() => checkStatement('INSERT INTO t VALUES (1) /*! , (2) */', 'mysql')).toThrow(
    /comment that the database/,
  )
})
