/**
 * What goes together in one statement on PostgreSQL does what it does alone: random programs of writes that meet on
 * keys, on second keys and on constraints, one at a time, in one batch, and in batches of any size.
 *
 * TIDEMARK_PROGRAMS sets how many are run.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Receipt } from '../../src/index.ts'
import { reasonOf } from '../../src/testing/sql.ts'
import { stage, type AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'

const tables = [
  // A second key; keys that are equal although they are written otherwise.
  'CREATE TABLE places (k numeric PRIMARY KEY, spot int UNIQUE, n int CHECK (n < 50))',
  // A row that may be another's parent, judged at the end of each statement.
  'CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree (id), n int)',
  // Two columns of a key, one of which nothing equals when it is padded.
  'CREATE TABLE pairs (a int, b char(2), n int, PRIMARY KEY (a, b))',
  // Judged at COMMIT.
  'CREATE TABLE leaves (id int PRIMARY KEY, pair int, b char(2), FOREIGN KEY (pair, b) REFERENCES pairs DEFERRABLE INITIALLY DEFERRED)',
  // A trigger that looks at the table it is on.
  'CREATE TABLE few (id int PRIMARY KEY, n int)',
  `CREATE FUNCTION at_most_three() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     IF (SELECT count(*) FROM few) >= 3 THEN RAISE EXCEPTION 'too many'; END IF; RETURN NEW; END $$`,
  'CREATE TRIGGER few_only BEFORE INSERT ON few FOR EACH ROW EXECUTE FUNCTION at_most_three()',
  // Ids and values that the database makes.
  'CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)',
]

type Write = (db: AnyTidemark) => Receipt
const small = fc.integer({ min: 1, max: 4 })
const n = fc.oneof(small, fc.constantFrom(99, null))
const spelt = fc.constantFrom<(key: number) => unknown>(
  (key) => key,
  (key) => `${key}.0`,
  (key) => BigInt(key),
)
const letter = fc.constantFrom('x', 'x ', 'y')
const guard = fc.constantFrom({}, {}, { expect: 1 }, { expect: 0 })
const kind = fc.constantFrom('insert', 'upsert', 'update', 'delete')

/** One write of a table, by the parts it may be made of. */
function writeTo(
  table: string,
  key: fc.Arbitrary<Record<string, unknown>>,
  rest: fc.Arbitrary<Record<string, unknown>>,
): fc.Arbitrary<Write> {
  return fc.tuple(kind, key, rest, guard).map(([how, where, set, options]): Write => (db) => {
    if (how === 'update') return db.update(table, where, set, options)
    if (how === 'delete') return db.delete(table, where, options)
    return how === 'insert' ? db.insert(table, { ...where, ...set }) : db.upsert(table, { ...where, ...set })
  })
}

const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 4,
    arbitrary: writeTo(
      'places',
      fc.tuple(small, spelt).map(([key, spell]) => ({ k: spell(key) })),
      fc.oneof(fc.record({ n }), fc.record({ n, spot: small })),
    ),
  },
  {
    weight: 2,
    arbitrary: writeTo('tree', fc.record({ id: small }), fc.record({ parent: fc.option(small), n })),
  },
  { weight: 2, arbitrary: writeTo('pairs', fc.record({ a: small, b: letter }), fc.record({ n })) },
  {
    weight: 1,
    arbitrary: writeTo('leaves', fc.record({ id: small }), fc.record({ pair: fc.option(small), b: letter })),
  },
  {
    weight: 1,
    arbitrary: writeTo(
      'few',
      fc.integer({ min: 1, max: 6 }).map((id) => ({ id })),
      fc.record({ n }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ n }).map(
      (row): Write =>
        (db) =>
          db.insert('made', row),
    ),
  },
  // A version that is asked for and raised, and a key that is changed.
  {
    weight: 1,
    arbitrary: fc.tuple(small, small).map(
      ([id, version]): Write =>
        (db) =>
          db.update('tree', { id, n: version }, { n: version + 1 }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(small, small).map(
      ([from, to]): Write =>
        (db) =>
          db.update('pairs', { a: from, b: 'x' }, { a: to }),
    ),
  },
  // Nothing equals NULL, but it is looked for.
  {
    weight: 1,
    arbitrary: small.map(
      (id): Write =>
        (db) =>
          db.delete('tree', { id, parent: null }),
    ),
  },
)

/** Writes of one kind in a row are what goes together. */
const program = fc
  .array(fc.tuple(write, fc.constantFrom(1, 1, 2, 6)), { maxLength: 12 })
  .chain((parts) =>
    fc.tuple(
      ...parts.map(([one, times]) => fc.array(fc.constant(one), { minLength: times, maxLength: times })),
    ),
  )
  .map((parts) => parts.flat())
/** The same, with writes of one table beside each other. */
const runs = fc
  .array(
    fc.tuple(
      kind,
      fc.array(fc.tuple(small, spelt, n, fc.option(small, { nil: undefined })), {
        minLength: 2,
        maxLength: 6,
      }),
    ),
    {
      maxLength: 6,
    },
  )
  .map((groups) =>
    groups.flatMap(([how, rows]) =>
      rows.map(([key, spell, value, spot]): Write => (db) => {
        const where = { k: spell(key) }
        const set = spot === undefined ? { n: value } : { n: value, spot }
        if (how === 'update') return db.update('places', where, set)
        if (how === 'delete') return db.delete('places', where)
        return how === 'insert'
          ? db.insert('places', { ...where, ...set })
          : db.upsert('places', { ...where, ...set })
      }),
    ),
  )

async function ending(receipt: Receipt): Promise<string> {
  const outcome = await receipt.outcome()
  if (outcome.kind === 'committed')
    return `committed ${outcome.changes ?? ''} ${outcome.id === undefined ? '' : 'id'}`
  return outcome.kind === 'rejected' ? reasonOf(outcome.error.storeCode) : outcome.error.code
}

const numRuns = Number(process.env['TIDEMARK_PROGRAMS'] ?? 12)

await withServer(embeddedPostgres, (server) => {
  const subject = postgresSubject('postgres', server)

  async function run(writes: readonly Write[], maxOperations: number, together: boolean) {
    const statements = tables.map((sql) => ({ sqlite: [], mysql: [], postgres: [sql] }))
    await using at = await stage(subject, statements, { batch: { maxOperations } })
    const ended: string[] = []
    if (together) ended.push(...(await Promise.all(writes.map((one) => one(at.db)).map(ending))))
    else for (const one of writes) ended.push(await ending(one(at.db)))
    const rows = []
    for (const table of ['places', 'tree', 'pairs', 'leaves', 'few'])
      rows.push(await at.rows(`SELECT * FROM ${table} ORDER BY 1, 2`))
    // Ids that a refused row has used up are gone, however often it was tried.
    rows.push(await at.rows('SELECT n, twice FROM made ORDER BY id'))
    const letters = await at.rows('SELECT seq, code FROM tidemark_dead_letters ORDER BY seq')
    return { ended, rows, letters }
  }

  test.for([
    ['of every kind', program],
    ['of many of one kind', runs],
  ] as const)(
    'law 4 · a program of writes %s ends the same one at a time, in one batch, and in batches of any size',
    async ([, arbitrary]) => {
      await fc.assert(
        fc.asyncProperty(arbitrary, fc.integer({ min: 2, max: 7 }), async (writes, size) => {
          const alone = await run(writes, 1, false)
          expect(await run(writes, 1_000, true)).toEqual(alone)
          expect(await run(writes, size, true)).toEqual(alone)
        }),
        { numRuns },
      )
    },
  )
})
