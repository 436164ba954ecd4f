/** Every common type of PostgreSQL: what is given, what the server then holds in its own words, what a read gives. */
import { describe, expect, test } from 'vitest'
import { endings, stage, type Stage } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'

/** A type, a value, the text that the server holds, and what a read gives where that is not the value itself. */
type Case = readonly [type: string, given: unknown, held: string, read?: unknown]

const types = [
  `CREATE TYPE mood AS ENUM ('fine', 'so so', '"quoted"')`,
  'CREATE TYPE pair AS (a int, b text)',
  `CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')`,
  'CREATE DOMAIN whole_list AS int[]',
  'CREATE SCHEMA app',
  `CREATE TYPE app.color AS ENUM ('red')`,
]
const day = new Date('2026-11-28T12:34:56.789Z')

const cases: readonly Case[] = [
  ['smallint', -3, '-3'],
  ['int', 2_147_483_647, '2147483647'],
  ['int', true, '1', 1],
  ['bigint', 2n ** 62n, '4611686018427387904'],
  ['bigint', 12n, '12', 12],
  ['numeric(12,3)', '123.4567', '123.457', '123.457'],
  ['numeric', 1e21, '1000000000000000000000', '1000000000000000000000'],
  ['numeric', 'NaN', 'NaN'],
  ['real', 1.5, '1.5'],
  ['double precision', 0.1, '0.1'],
  ['double precision', -0, '-0'],
  ['double precision', Number.NEGATIVE_INFINITY, '-Infinity'],
  ['double precision', Number.MIN_VALUE, '5e-324'],
  ['boolean', true, 'true'],
  ['boolean', false, 'false'],
  ['boolean', 'yes', 'true', true],
  ['text', '', ''],
  ['text', 'NULL', 'NULL'],
  ['text', '{a,"b\\c"}', '{a,"b\\c"}'],
  ['text', " 'it' \n \\N \u{1f30a} ", " 'it' \n \\N \u{1f30a} "],
  ['text', 5, '5', '5'],
  ['text', { a: [1] }, '{"a":[1]}', '{"a":[1]}'],
  ['varchar(5)', 'abcde', 'abcde'],
  ['char(4)', 'ab', 'ab', 'ab  '],
  ['"char"', 'x', 'x'],
  ['name', 'a name', 'a name'],
  ['bytea', new Uint8Array([0, 92, 34, 255]), '\\x005c22ff'],
  ['bytea', new Uint8Array(), '\\x'],
  ['json', { b: 1, a: [null, 'x\\"y'] }, '{"b":1,"a":[null,"x\\\\\\"y"]}'],
  ['jsonb', { b: 1, a: ['{}', null] }, '{"a": ["{}", null], "b": 1}'],
  ['jsonb', [1, [2]], '[1, [2]]'],
  ['jsonb', '"text"', '"text"', 'text'],
  ['jsonb', 5, '5'],
  ['text[]', ['a', 'b "q" \\ ,{}', null, '', 'NULL'], '{a,"b \\"q\\" \\\\ ,{}",NULL,"","NULL"}'],
  ['text[]', [], '{}'],
  ['text[]', '{a,b}', '{a,b}', ['a', 'b']],
  [
    'int[]',
    [
      [1, 2],
      [3, 4],
    ],
    '{{1,2},{3,4}}',
  ],
  ['int[]', '[0:1]={1,2}', '[0:1]={1,2}', [1, 2]],
  ['bigint[]', [1, null, 2 ** 50], '{1,NULL,1125899906842624}'],
  ['bigint[]', '{9007199254740993}', '{9007199254740993}', [2n ** 53n + 1n]],
  ['bytea[]', '{"\\\\x00ff"}', '{"\\\\x00ff"}', [new Uint8Array([0, 255])]],
  ['timestamp[]', [day], '{"2026-11-28 12:34:56.789"}'],
  ['date[]', ['2026-01-02'], '{2026-01-02}'],
  ['double precision[]', [0.5, -1], '{0.5,-1}'],
  ['boolean[]', [true, false], '{t,f}'],
  ['timestamptz[]', [day], '{"2026-11-28 12:34:56.789+00"}', [day]],
  ['uuid[]', ['00000000-0000-0000-0000-000000000001'], '{00000000-0000-0000-0000-000000000001}'],
  ['jsonb[]', [{ a: 1 }, [1, 'x'], 's', null], '{"{\\"a\\": 1}","[1, \\"x\\"]","\\"s\\"",NULL}'],
  ['varchar(3)[]', ['abc'], '{abc}'],
  ['mood', '"quoted"', '"quoted"'],
  ['mood[]', ['so so', 'fine'], '{"so so",fine}', '{"so so",fine}'],
  ['app.color', 'red', 'red'],
  ['pair', '(1,"x y")', '(1,"x y")', '(1,"x y")'],
  ['pair[]', '{"(1,x)"}', '{"(1,x)"}', '{"(1,x)"}'],
  ['email', 'a@b', 'a@b'],
  ['whole_list', [1, 2], '{1,2}', [1, 2]],
  ['timestamptz', day, '2026-11-28 12:34:56.789+00'],
  ['timestamptz', '2026-11-28T14:00:00+02', '2026-11-28 12:00:00+00', new Date('2026-11-28T12:00:00Z')],
  ['timestamp', day, '2026-11-28 12:34:56.789'],
  ['timestamp', 'infinity', 'infinity', 'infinity'],
  ['date', day, '2026-11-28', '2026-11-28'],
  ['date', '2026-01-02', '2026-01-02'],
  ['time', '12:34:56', '12:34:56'],
  ['interval', '1 day 02:00:00', '1 day 02:00:00', { days: 1, hours: 2 }],
  [
    'uuid',
    '00000000-0000-0000-0000-00000000000A',
    '00000000-0000-0000-0000-00000000000a',
    '00000000-0000-0000-0000-00000000000a',
  ],
  ['inet', '10.0.0.1/8', '10.0.0.1/8'],
  ['macaddr', '08:00:2b:01:02:03', '08:00:2b:01:02:03'],
  ['int4range', '[1,5)', '[1,5)'],
  ['box', '(1,1),(0,0)', '(1,1),(0,0)'],
  ['box[]', '{(1,1),(0,0);(2,2),(1,1)}', '{(1,1),(0,0);(2,2),(1,1)}', '{(1,1),(0,0);(2,2),(1,1)}'],
  ['point', '(1,2)', '(1,2)', { x: 1, y: 2 }],
  ['money', '12.5', '$12.50', '$12.50'],
  ['bit(3)', '101', '101'],
  ['varbit', '10', '10'],
  ['xml', '<a/>', '<a/>'],
  ['tsvector', 'b a', "'a' 'b'", "'a' 'b'"],
  ['jsonpath', '$."a"', '$."a"'],
]

await withServer(embeddedPostgres, (server) => {
  const subject = postgresSubject('postgres', server)
  const tableOf = (type: string) => `CREATE TABLE held (id bigint PRIMARY KEY, v ${type}, n int)`
  const held = (at: Stage) =>
    at.rows('SELECT id, v::text AS held FROM held ORDER BY id') as Promise<
      { id: number; held: string | null }[]
    >

  describe('types', () => {
    test.for(cases)(
      '%s holds %o as %s, alone and among others, however it is written',
      async ([type, given, text, ...read]) => {
        await using at = await stage(subject, [...types, tableOf(type)].map(sqlOf))
        // Alone, and in one run with a null between.
        await at.db.insert('held', { id: 1, v: given })
        at.db.insert('held', { id: 2, v: given })
        at.db.insert('held', { id: 3, v: null })
        at.db.insert('held', { id: 4, v: given })
        await at.db.flush()
        for (const id of [3, 5, 6]) at.db.upsert('held', { id, v: given })
        await at.db.flush()
        for (const id of [7, 8, 9]) at.db.insert('held', { id })
        await at.db.flush()
        await at.db.update('held', { id: 7 }, { v: given })
        for (const id of [8, 9]) at.db.update('held', { id }, { v: given, n: 1 })
        await at.db.write({ sql: 'INSERT INTO held SELECT 10, v FROM held WHERE id = $1', parameters: [1] })
        const found = await held(at)
        expect(found).toEqual(Array.from({ length: 10 }, (_, index) => ({ id: index + 1, held: text })))
        const rows = await at.db.read('strong').selectFrom('held').select('v').where('id', '=', 4).execute()
        expect(rows.map(({ v }) => plain(v))).toEqual([read.length === 0 ? plain(given) : read[0]])
        expect(await at.db.deadLetters()).toEqual([])
      },
    )

    test.each([
      ['int', 'no number', '22P02'],
      ['int', 1.5, '22P02'],
      ['smallint', 40_000, '22003'],
      ['numeric(4,1)', 99_999, '22003'],
      ['varchar(5)', 'too long', '22001'],
      ['char(4)', 'too long', '22001'],
      ['varchar(3)[]', ['fine', 'abc'], '22001'],
      ['bit(3)', '10', '22026'],
      ['mood', 'angry', '22P02'],
      ['email', 'nobody', '23514'],
      ['jsonb', 'no JSON', '22P02'],
      ['timestamptz', 'yesterday week', '22007'],
      ['date', '2026-02-30', '22008'],
      ['uuid', 'short', '22P02'],
      ['text', 'a\u0000b', '22021'],
      ['int[]', [[1], [2, 3]], '22P02'],
    ] as const)(
      'law 4 · what %s cannot hold, as %o, is refused and not changed, and its neighbours are there',
      async (type, given, code: string) => {
        await using at = await stage(subject, [...types, tableOf(type)].map(sqlOf))
        const receipts = [1, 2, 3, 4].map((id) => at.db.insert('held', { id, v: id === 3 ? given : null }))
        expect(await endings(receipts)).toEqual(['committed', 'committed', reasonOf(code), 'committed'])
        const [letter] = await at.db.deadLetters()
        expect(letter?.code).toBe(code)
        expect(await held(at)).toHaveLength(3)
      },
    )

    test('law 5 · rows of every type come back from a dead letter as they were', async () => {
      const columns = cases.map(([type], index) => `c${index} ${type}`).join(', ')
      const table = `CREATE TABLE wide (id bigint PRIMARY KEY CHECK (id < 10), ${columns})`
      await using at = await stage(subject, [...types, table].map(sqlOf))
      const row = Object.fromEntries(cases.map(([, given], index) => [`c${index}`, given]))
      expect(
        await endings([at.db.insert('wide', { id: 1, ...row }), at.db.insert('wide', { id: 10, ...row })]),
      ).toEqual(['committed', 'check'])
      await at.outside('ALTER TABLE wide DROP CONSTRAINT wide_id_check')
      const [letter] = await at.db.deadLetters()
      await at.db.redrive([letter?.id as number])
      const [first, second] = await at.rows('SELECT (wide.*)::text AS held FROM wide ORDER BY id')
      expect(String(second?.['held']).replace(/^\(10,/, '(1,')).toBe(first?.['held'])
    })

    test('keys of every common type find their rows, together and alone', async () => {
      for (const [type, keys] of [
        ['int', [1, 2, 3]],
        ['bigint', [2n ** 60n, 2n ** 60n + 1n, 5]],
        ['numeric', ['1.50', '2', '3.0']],
        ['text', ['', 'a"b\\', 'NULL']],
        ['char(3)', ['a', 'b', 'c']],
        ['uuid', [1, 2, 3].map((n) => `00000000-0000-0000-0000-00000000000${n}`)],
        ['bytea', [new Uint8Array([1]), new Uint8Array(), new Uint8Array([0, 92])]],
        ['timestamptz', [new Date(0), new Date(1), day]],
        ['date', ['2026-01-01', '2026-01-02', '2026-01-03']],
        ['boolean', [true, false]],
        ['mood', ['fine', 'so so', '"quoted"']],
        ['jsonb', [{ a: 1 }, [1], 5]],
      ] as const) {
        await using at = await stage(
          subject,
          [...types, `CREATE TABLE keyed (k ${type} PRIMARY KEY, n int)`].map(sqlOf),
        )
        for (const k of keys) at.db.insert('keyed', { k, n: 0 })
        await at.db.flush()
        for (const k of keys) at.db.update('keyed', { k }, { n: 1 }, { expect: 1 })
        await at.db.flush()
        for (const k of keys) at.db.upsert('keyed', { k, n: 2 })
        await at.db.flush()
        for (const k of keys) expect((await at.db.get('keyed', { k })).row, type).toMatchObject({ n: 2 })
        for (const k of keys) at.db.delete('keyed', { k }, { expect: 1 })
        await at.db.flush()
        expect(await at.rows('SELECT n FROM keyed'), type).toEqual([])
        expect(await at.db.deadLetters(), type).toEqual([])
      }
    })

    test('schemas, names in quotes, generated and identity columns', async () => {
      await using at = await stage(
        subject,
        [
          'CREATE SCHEMA app',
          'CREATE TABLE app.songs (id serial PRIMARY KEY, title text, twice text GENERATED ALWAYS AS (title || title) STORED)',
          "CREATE TABLE songs (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text DEFAULT 'none')",
          'CREATE TABLE "We""ird. Name" ("a b" int PRIMARY KEY, "c""d" text)',
        ].map(sqlOf),
      )
      expect(await at.db.insert('app.songs', { title: 'a' })).toMatchObject({ id: 1 })
      expect(await at.db.insert('songs', { title: 'b' })).toMatchObject({ id: 1 })
      await at.db.insert('songs', { id: 70, title: 'own id' })
      await at.db.upsert('We"ird. Name', { 'a b': 1, 'c"d': 'x' })
      await at.db.update('We"ird. Name', { 'a b': 1 }, { 'c"d': 'y' })
      expect(await at.rows('SELECT * FROM app.songs')).toEqual([{ id: 1, title: 'a', twice: 'aa' }])
      expect(await at.rows('SELECT * FROM songs ORDER BY id')).toEqual([
        { id: 1, title: 'b' },
        { id: 70, title: 'own id' },
      ])
      expect(await at.rows('SELECT * FROM "We""ird. Name"')).toEqual([{ 'a b': 1, 'c"d': 'y' }])
      expect(() => at.db.insert('app.songs', { twice: 'x' })).toThrow(/computed by the database/)
      expect(() => at.db.insert('public.songs', { title: 'x' })).toThrow(
        /no table "public.songs" \(tables: .*app\.songs/,
      )
    })
  })
})

/** As it stands, in this dialect only. */
function sqlOf(statement: string) {
  return { sqlite: [], mysql: [], postgres: [statement] }
}

function reasonOf(code: unknown): string {
  return code === '23514' ? 'check' : String(code)
}

/** Bytes without the driver's class, objects without one of theirs. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date))
    return { ...value }
  return value
}
