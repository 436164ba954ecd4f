/** Random programs under constraints that are checked at COMMIT: where batches end decides no outcome. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Receipt } from '../../src/index.ts'
import { endings, stage, type AnyTidemark } from '../../src/testing/stage.ts'
import { memoryAsync } from './subjects.ts'

const tables = `
  CREATE TABLE parents (id INTEGER PRIMARY KEY);
  CREATE TABLE children (
    id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE apart (id INTEGER PRIMARY KEY, n INTEGER UNIQUE ON CONFLICT ROLLBACK);
`
type Writer = Pick<AnyTidemark, 'insert' | 'update' | 'delete' | 'write'>
type Write = (writer: Writer) => unknown

const id = fc.integer({ min: 1, max: 4 })
const single: fc.Arbitrary<Write> = fc.oneof(
  id.map(
    (parent): Write =>
      (writer) =>
        writer.insert('parents', { id: parent }),
  ),
  id.map(
    (parent): Write =>
      (writer) =>
        writer.delete('parents', { id: parent }),
  ),
  fc.tuple(id, id).map(
    ([child, parent]): Write =>
      (writer) =>
        writer.insert('children', { id: child, parent }),
  ),
  fc.tuple(id, id).map(
    ([child, parent]): Write =>
      (writer) =>
        writer.update('children', { id: child }, { parent }),
  ),
  id.map(
    (child): Write =>
      (writer) =>
        writer.delete('children', { id: child }),
  ),
  fc.tuple(id, id).map(
    ([key, n]): Write =>
      (writer) =>
        writer.insert('apart', { id: key, n }),
  ),
  fc.tuple(id, id).map(
    ([child, parent]): Write =>
      (writer) =>
        writer.write({ sql: 'INSERT OR REPLACE INTO children VALUES (?, ?)', parameters: [child, parent] }),
  ),
)
const operation: fc.Arbitrary<(db: AnyTidemark) => Receipt> = fc.oneof(
  { weight: 5, arbitrary: single.map((write) => (db: AnyTidemark) => write(db) as Receipt) },
  {
    weight: 1,
    arbitrary: fc
      .array(single, { minLength: 1, maxLength: 3 })
      .map(
        (writes) => (db: AnyTidemark) =>
          db.atomic((group) => writes.forEach((write) => void write(group as never))),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(fc.integer({ min: 5, max: 8 }), id), { minLength: 1, maxLength: 4 }).map(
      (rows) => (db: AnyTidemark) =>
        db.insertMany(
          'children',
          rows.map(([child, parent]) => ({ id: child, parent })),
          { atomic: false },
        ),
    ),
  },
)

async function run(
  operations: readonly ((db: AnyTidemark) => Receipt)[],
  maxOperations: number,
  together: boolean,
) {
  await using at = await stage(memoryAsync, tables, { batch: { maxOperations } })
  const ended: string[] = []
  if (together) ended.push(...(await endings(operations.map((write) => write(at.db)))))
  else for (const write of operations) ended.push(...(await endings([write(at.db)])))
  const rows = await at.rows(
    "SELECT 'p' AS t, id, 0 AS x FROM parents UNION SELECT 'c', id, parent FROM children UNION SELECT 'a', id, n FROM apart",
  )
  const letters = await at.rows('SELECT seq, code FROM tidemark_dead_letters ORDER BY seq')
  return { ended, rows, letters }
}

test('law 4 · a program ends the same one at a time, in one batch, and in batches of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 25 }),
      fc.integer({ min: 2, max: 10 }),
      async (program, size) => {
        const alone = await run(program, 1, false)
        expect(await run(program, 1_000, true)).toEqual(alone)
        expect(await run(program, size, true)).toEqual(alone)
        expect(
          alone.rows.filter(
            ({ t, x }) => t === 'c' && !alone.rows.some((row) => row['t'] === 'p' && row['id'] === x),
          ),
        ).toEqual([])
      },
    ),
    { numRuns: 150 },
  )
})
