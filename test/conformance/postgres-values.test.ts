/** Values travel to PostgreSQL in its binary form where their type has a simple one, else as texts: nobody may notice. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'

/** Each value, and what the server makes of its text. */
const held: Readonly<Record<string, readonly (readonly [value: unknown, text: string])[]>> = {
  smallint: [-32_768, 32_767, 0, -0].map((value) => [value, String(value)] as const),
  integer: [-(2 ** 31), 2 ** 31 - 1, -1, 0].map((value) => [value, String(value)] as const),
  bigint: [
    ...[0, -1, 1, 2 ** 32, -(2 ** 32) - 1, 2 ** 53 - 1, -(2 ** 53) + 1].map(
      (value) => [value, String(value)] as const,
    ),
    ...[2n ** 63n - 1n, -(2n ** 63n), 5n].map((value) => [value, String(value)] as const),
  ],
  'double precision': [
    ...[0.1, -1e-300, 5e-324, 1.7976931348623157e308, 12, Infinity, -Infinity].map(
      (value) => [value, String(value)] as const,
    ),
    [-0, '-0'],
  ],
  text: ['', 'NULL', '{"a",\\b}', 'ÄÖ 漢字 🙂', "it's\n\ttext"].map((value) => [value, value] as const),
  'character varying(3)': ['', 'abc', '🙂é'].map((value) => [value, value] as const),
  json: [[{ quoted: '"\\', list: [1, null] }, '{"quoted":"\\"\\\\","list":[1,null]}']],
  jsonb: [
    [{ quoted: '"\\', list: [1, null] }, '{"quoted":"\\"\\\\","list":[1,null]}'],
    ['{"a":1}', '{"a":1}'],
  ],
  bytea: [[new Uint8Array([0, 92, 255]), '\\x005cff']],
  'numeric(6,2)': [['12.30', '12.30']],
}

/** What its column cannot hold. */
const refused: readonly (readonly [type: string, code: string, value: unknown])[] = [
  ['smallint', '22003', 32_768],
  ['integer', '22003', 2 ** 31],
  ['bigint', '22003', '9223372036854775808'],
  ['bigint', '22P02', 1.5],
  ['bigint', '22P02', 'five'],
  ['double precision', '22P02', 'much'],
  ['text', '22021', 'a\u0000b'],
  ['character varying(3)', '22001', 'abcd'],
  ['jsonb', '22P02', '{not json'],
]

await withServer(embeddedPostgres, (server) => {
  test.each(Object.entries(held))('a batch of %s holds what their texts would be', async (type, values) => {
    const url = await server.createDatabase()
    await server.query(`CREATE TABLE given (n int PRIMARY KEY, value ${type}, text text)`, url)
    await using db = await open(postgres(url))
    for (const [n, [value, text]] of values.entries()) db.insert('given', { n, value, text })
    db.insert('given', { n: values.length, value: null, text: null })
    await db.flush()
    expect(await db.deadLetters()).toEqual([])
    const differing = `SELECT n, value::text, text FROM given WHERE value::text IS DISTINCT FROM text::${type}::text`
    expect(await server.query(differing, url)).toEqual([])
    const [counted] = await server.query(
      'SELECT count(*)::int AS count, count(value)::int AS values FROM given',
      url,
    )
    expect(counted).toEqual({ count: values.length + 1, values: values.length })
  })

  test.each(refused)(
    'law 4 · what a column of %s cannot hold is refused alone: %s',
    async (type, code, value) => {
      const url = await server.createDatabase()
      await server.query(`CREATE TABLE given (n int PRIMARY KEY, value ${type})`, url)
      await using db = await open(postgres(url))
      const [fine] = held[type] ?? []
      const receipts = [fine?.[0], value, fine?.[0]].map((one, n) => db.insert('given', { n, value: one }))
      const outcomes = await Promise.all(receipts.map((receipt) => receipt.outcome()))
      expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'rejected', 'committed'])
      const [letter] = await db.deadLetters()
      expect(letter?.code).toBe(code)
      expect(await server.query('SELECT n FROM given ORDER BY n', url)).toEqual([{ n: 0 }, { n: 2 }])
    },
  )
})
