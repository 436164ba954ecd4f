/** The types of PostgreSQL: what is given is held, whichever call gives it, alone or among others; or it is refused. */
import { expect, test } from 'vitest'
import type { Receipt } from '../../src/index.ts'
import { endings, range, stage, type AnyTidemark, type Stage } from '../../src/testing/stage.ts'
import { onPostgres } from './on-postgres.ts'
import { refusals, typeCases, typesSchema, type TypeCase } from './postgres-values.ts'

/** A value, and the table that has a column of its type. */
interface Held extends TypeCase {
  readonly table: string
}

type Call = readonly [one: Held, receipt: Receipt]

const held: readonly Held[] = typeCases.map((one, index) => ({ ...one, table: `held_${index}` }))
const keyed = held.filter(({ isKey }) => isKey)
const named = ({ type, given }: TypeCase): string => `${type} given ${String(given)}`

/** Each table once: neighbours are of different shapes, so each call goes out alone. */
function alone(ones: readonly Held[], write: (one: Held) => Receipt): Call[] {
  return ones.map((one) => [one, write(one)])
}

/** Some of one shape in a row, which go out in one statement where that can be. */
function together(ones: readonly Held[], ids: readonly number[], write: (one: Held, id: number) => Receipt) {
  return ones.flatMap((one): Call[] => ids.map((id) => [one, write(one, id)]))
}

/** Those that ended otherwise. */
async function notEnded(ending: string, calls: readonly Call[]): Promise<string[]> {
  const found = await endings(calls.map(([, receipt]) => receipt))
  return calls.flatMap(([one], index) =>
    found[index] === ending ? [] : [`${named(one)}: ${String(found[index])}`],
  )
}

/** In each table there are so many rows, and each holds the value. */
async function expectHeld(at: Stage, rows: number): Promise<void> {
  const found = await at.rows(
    held.map(({ table }, index) => `SELECT ${index} AS at, v::text AS v FROM ${table}`).join(' UNION ALL '),
  )
  const byTable = Map.groupBy(found, (row) => Number(row['at']))
  const values = held.map((one, index) => [named(one), (byTable.get(index) ?? []).map(({ v }) => v)])
  expect(values).toEqual(held.map((one) => [named(one), range(rows).map(() => one.held)]))
}

await onPostgres((subject) => {
  const on = (tables: readonly string[]): Promise<Stage> =>
    stage(subject, { postgres: [[typesSchema, ...tables].join('; ')], sqlite: [], mysql: [], surrealql: [] })
  const holding = (columns: string): Promise<Stage> =>
    on(held.map(({ table, type }) => `CREATE TABLE ${table} (${columns.replace('TYPE', type)})`))

  test('law 1 · a value of every type is held as it was given, by every call, alone and among others', async () => {
    await using at = await holding('id int PRIMARY KEY, v TYPE')
    const { db } = at
    const calls = [
      ...alone(held, ({ table, given }) => db.insert(table, { id: 1, v: given })),
      ...alone(held, ({ table, given }) => db.upsert(table, { id: 2, v: given })),
      ...alone(held, ({ table, given }) => db.upsert(table, { id: 1, v: given })),
      ...alone(held, ({ table }) => db.insert(table, { id: 3 })),
      ...alone(held, ({ table, given }) => db.update(table, { id: 3 }, { v: given }, { expect: 1 })),
      ...together(held, [4, 5], ({ table, given }, id) => db.insert(table, { id, v: given })),
      ...together(held, [5, 6, 7], ({ table, given }, id) => db.upsert(table, { id, v: given })),
      ...together(held, [8, 9], ({ table }, id) => db.insert(table, { id })),
      ...together(held, [8, 9], ({ table, given }, id) => db.update(table, { id }, { v: given })),
    ]
    expect(await notEnded('committed', calls)).toEqual([])
    await expectHeld(at, 9)
    const read = await Promise.all(
      held.map(async (one) => {
        const sql = `SELECT v FROM ${one.table} WHERE id = 1`
        const { rows } = await db.query<{ v: unknown }>({ sql, parameters: [] }, 'strong')
        return [named(one), rows[0]?.v]
      }),
    )
    expect(read).toEqual(held.map((one) => [named(one), one.read]))
  })

  test('a value of every type finds its row, alone and among others', async () => {
    await using at = await holding('id int PRIMARY KEY, v TYPE, n int')
    const { db } = at
    const guard = { expect: 1 }
    const calls = [
      ...together(keyed, [1, 2, 3, 4, 5], ({ table, given }, id) => db.insert(table, { id, v: given })),
      ...alone(keyed, ({ table, given }) => db.update(table, { id: 1, v: given }, { n: 1 }, guard)),
      ...alone(keyed, ({ table, given }) => db.delete(table, { id: 5, v: given }, guard)),
      ...together(keyed, [2, 3, 4], ({ table, given }, id) =>
        db.update(table, { id, v: given }, { n: 1 }, guard),
      ),
      ...together(keyed, [3, 4], ({ table, given }, id) => db.delete(table, { id, v: given }, guard)),
    ]
    expect(await notEnded('committed', calls)).toEqual([])
    const left = await at.rows(
      keyed
        .map(({ table }) => `SELECT count(*)::int AS rows, sum(n)::int AS n FROM ${table}`)
        .join(' UNION ALL '),
    )
    expect(left).toEqual(keyed.map(() => ({ rows: 2, n: 2 })))
  })

  test('law 6 · a value of every type is the key by which its row is changed, read and deleted', async () => {
    await using at = await on(
      keyed.map(({ table, type }) => `CREATE TABLE ${table} (v ${type} PRIMARY KEY, n int)`),
    )
    const { db } = at
    const calls = keyed.flatMap((one): Call[] => {
      const { table, given } = one
      return [
        [one, db.insert(table, { v: given, n: 0 })],
        [one, db.upsert(table, { v: given, n: 1 })],
        [one, db.upsert(table, { v: given, n: 2 })],
        ...[3, 4].map((n): Call => [one, db.update(table, { v: given }, { n }, { expect: 1 })]),
      ]
    })
    expect(await notEnded('committed', calls)).toEqual([])
    // The key of a read is a parameter: there no composite finds its type, and no list its array.
    const readable = keyed.filter(
      ({ type, given }) => !type.endsWith('pair') && (type === 'jsonb' || !Array.isArray(given)),
    )
    const got = await Promise.all(readable.map(({ table, given }) => db.get(table, { v: given })))
    expect(got).toEqual(readable.map(({ read }) => ({ row: { v: read, n: 4 }, pending: false })))
    const deleted = await Promise.all(
      keyed.flatMap(({ table, given }) => [db.delete(table, { v: given }), db.delete(table, { v: given })]),
    )
    expect(deleted.map(({ changes }) => changes)).toEqual(keyed.flatMap(() => [1, 0]))
  })

  test('laws 4, 5 · what a type cannot hold is refused by every call, and touches no neighbour', async () => {
    await using at = await on(
      refusals.map(([type], index) => `CREATE TABLE refusing_${index} (id int PRIMARY KEY, v ${type})`),
    )
    const { db } = at
    const attempts = refusals.map(([type, given, code], index) => {
      const table = `refusing_${index}`
      // Where nothing else of the type is known to be good, null is.
      const good = held.find((one) => one.type === type)?.given ?? null
      const calls: readonly (readonly [ending: string, receipt: Receipt])[] = [
        ['committed', db.insert(table, { id: 1, v: good })],
        [code, db.insert(table, { id: 2, v: given })],
        ['committed', db.insert(table, { id: 3, v: good })],
        [code, db.upsert(table, { id: 4, v: given })],
        ['committed', db.upsert(table, { id: 5, v: good })],
        ['committed', db.update(table, { id: 1 }, { v: good })],
        [code, db.update(table, { id: 3 }, { v: given })],
        ['committed', db.update(table, { id: 5 }, { v: good })],
        ['committed', db.insert(table, { id: 6 })],
        [code, db.update(table, { id: 6 }, { v: given })],
      ]
      return { name: `${type} given ${String(given)}`, table, isFilled: good !== null, calls }
    })
    for (const { name, table, isFilled, calls } of attempts) {
      const found = await Promise.all(calls.map(([, receipt]) => codeOf(receipt)))
      expect(found, name).toEqual(calls.map(([ending]) => ending))
      const rows = await at.outside(`SELECT id, v IS DISTINCT FROM NULL AS filled FROM ${table} ORDER BY id`)
      expect(rows, name).toEqual([
        { id: 1, filled: isFilled },
        { id: 3, filled: isFilled },
        { id: 5, filled: isFilled },
        { id: 6, filled: false },
      ])
    }
    expect(await at.value('SELECT count(*)::int FROM tidemark_dead_letters')).toBe(refusals.length * 4)
  })

  test('tables are found by whatever name, and rows get the ids that any kind of sequence gives', async () => {
    const names = ['app.songs', 'songs', 'We"ird. Name', 'always', 'by default', 'app.a.b']
    await using at = await on([
      'CREATE TABLE app.songs (id serial PRIMARY KEY, t text[])',
      'CREATE TABLE songs (id bigserial PRIMARY KEY, t text[])',
      'CREATE TABLE "We""ird. Name" (id smallint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, t text[])',
      'CREATE TABLE always (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text[])',
      'CREATE TABLE "by default" (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, t text[])',
      'CREATE TABLE app."a.b" (id serial PRIMARY KEY, t text[])',
    ])
    for (const name of names) {
      const rows = range(3).map((n) => at.db.insert(name, { t: [`row ${n}`] }))
      const own = at.db.insert(name, { id: 100, t: [] })
      const upserted = at.db.upsert(name, { id: 100, t: ['upserted'] })
      const ids = (await Promise.all([...rows, own])).map(({ id }) => id)
      expect(ids, name).toEqual([1, 2, 3, undefined])
      expect((await upserted.outcome()).kind).toBe('committed')
      expect((await at.db.get(name, { id: 100 })).row, name).toEqual({ id: 100, t: ['upserted'] })
      expect((await at.db.delete(name, { id: 2 })).changes).toBe(1)
    }
    expect(() => at.db.insert('public.songs', { t: [] })).toThrow(/no table "public\.songs"/)
    expect(await codeOf(at.db.update('always', { id: 1 }, { id: 2 }))).toBe('428C9')
  })

  test('law 1 · what the database computes is refused at the call, and computed', async () => {
    await using at = await on([
      `CREATE TABLE computed (
             id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, made text DEFAULT 'made')`,
    ])
    const { db } = at
    expect(() => db.insert('computed', { id: 1, twice: 2 })).toThrow(/"twice" .* is computed by the database/)
    for (const id of [1, 2]) db.insert('computed', { id, n: id })
    for (const id of [1, 2]) db.update('computed', { id }, { n: id + 10 })
    db.upsert('computed', { id: 3, n: 3, made: null })
    expect(await at.rows('SELECT * FROM computed ORDER BY id')).toEqual([
      { id: 1, n: 11, twice: 22, made: 'made' },
      { id: 2, n: 12, twice: 24, made: 'made' },
      { id: 3, n: 3, twice: 6, made: null },
    ])
  })

  test('law 5 · a dead letter brings a value of every type back exactly', async () => {
    await using at = await holding('id int PRIMARY KEY, v TYPE, n int CONSTRAINT shut CHECK (n < 5)')
    const { db } = at
    const made = alone(held, ({ table }) => db.insert(table, { id: 3 }))
    const refused = [
      ...alone(held, ({ table, given }) => db.insert(table, { id: 1, v: given, n: 9 })),
      ...alone(held, ({ table, given }) => db.upsert(table, { id: 2, v: given, n: 9 })),
      ...alone(held, ({ table, given }) => db.update(table, { id: 3 }, { v: given, n: 9 })),
      ...together(held, [4, 5], ({ table, given }, id) => db.insert(table, { id, v: given, n: 9 })),
    ]
    expect([await notEnded('committed', made), await notEnded('check', refused)]).toEqual([[], []])
    await at.outside(held.map(({ table }) => `ALTER TABLE ${table} DROP CONSTRAINT shut`).join('; '))
    const letters = await lettersOf(db)
    expect(letters).toHaveLength(refused.length)
    await db.redrive(letters)
    await expectHeld(at, 5)
    expect(await at.value('SELECT count(*)::int FROM tidemark_dead_letters')).toBe(0)
  })
})

/** Where the server says something that other stores say in other words, its own code. */
async function codeOf(receipt: Receipt): Promise<string> {
  const outcome = await receipt.outcome()
  return outcome.kind === 'rejected' ? outcome.error.storeCode : outcome.kind
}

async function lettersOf(db: AnyTidemark): Promise<number[]> {
  return (await db.deadLetters({ limit: 10_000 })).map(({ id }) => id)
}
