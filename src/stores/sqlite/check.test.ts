import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { countParameters } from './check.ts'

const counted: readonly (readonly [sql: string, count: number])[] = [
  ['SELECT 1', 0],
  ['SELECT ?, ?', 2],
  ['SELECT ?5', 5],
  ['SELECT ?2, ?', 3],
  ['SELECT ?, ?1, ?01', 1],
  ['SELECT ?3, ?, ?2, ?4', 4],
  ["SELECT '?', 'it''s ?', \"?\", `?`, [?] FROM (SELECT 1 AS \"?\") -- ?", 0],
  ['SELECT /* ? :a */ ? /* ? */ -- :b\n, ?', 2],
  ["SELECT 'a' -- 'it''s\n, ?", 1],
  ["SELECT '{\"a\":1}' -> '$.a', '{}' ->> '$.b', '@c', ':d', ?", 1],
  ['SELECT a$b, é$a, ? FROM (SELECT 1 AS a$b, 2 AS é$a)', 1],
  ["SELECT 1e5, 0x1f, 1_000, x'00', -?+~?", 2],
  ['EXPLAIN SELECT ?', 1],
]

test.each(counted)('%s takes %i parameters', (sql, count) => {
  expect(countParameters(sql)).toBe(count)
  // SQLite takes so many, and not one more.
  using database = new DatabaseSync(':memory:')
  const statement = database.prepare(sql)
  const values = (length: number): null[] => Array<null>(length).fill(null)
  statement.all(...values(count))
  expect(() => statement.all(...values(count + 1))).toThrow('out of range')
})

test.each([
  'SELECT :a',
  'SELECT @a',
  'SELECT $a, ?',
  'SELECT $1',
  'SELECT $a::b(c)',
  'SELECT :é',
  'SELECT $::a',
])('%s is refused: what has a name would be NULL', (sql) => {
  expect(() => countParameters(sql)).toThrow('has a name')
  using database = new DatabaseSync(':memory:')
  database.prepare(sql)
})
