/**
 * Constraints that the database checks at COMMIT only. They are judged operation by operation, so where one
 * batch ends and the next begins decides nothing.
 */
import assert from 'node:assert/strict'
import type { Receipt } from '../index.ts'
import { reasonOf } from './sql.ts'
import { endings, range, stage, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE parents (id INTEGER PRIMARY KEY)',
  `CREATE TABLE children (
    id INTEGER PRIMARY KEY, parent INTEGER NOT NULL,
    FOREIGN KEY (parent) REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)`,
  'CREATE TABLE others (id INTEGER PRIMARY KEY, name TEXT UNIQUE)',
]
const foreignKey = 'foreign key'

const program: readonly ((db: AnyTidemark) => Receipt)[] = [
  (db) => db.insert('parents', { id: 1 }),
  (db) => db.insert('children', { id: 1, parent: 1 }),
  // Its parent comes with the next operation: by itself it is refused.
  (db) => db.insert('children', { id: 2, parent: 2 }),
  (db) => db.insert('parents', { id: 2 }),
  (db) => db.insert('others', { name: 'a' }),
  (db) => db.insert('others', { name: 'a' }),
  (db) =>
    db.atomic((group) => {
      group.insert('children', { id: 3, parent: 3 })
      group.insert('parents', { id: 3 })
    }),
  (db) =>
    db.insertMany('children', [
      { id: 10, parent: 1 },
      { id: 11, parent: 99 },
    ]),
  (db) => db.delete('parents', { id: 1 }),
  (db) => db.write({ sql: 'INSERT INTO children (id, parent) VALUES (9, 2)', parameters: [] }),
  (db) => db.write({ sql: 'UPDATE children SET parent = 98', parameters: [] }),
  (db) => db.write({ sql: 'INSERT INTO parents VALUES (2)', parameters: [] }),
  (db) => db.upsert('children', { id: 3, parent: 97 }),
  (db) => db.update('children', { id: 9 }, { parent: 3 }, { expect: 1 }),
  (db) => db.update('children', { id: 9 }, { parent: 2 }, { expect: 2 }),
  (db) => db.delete('parents', { id: 2 }),
]
const expected = [
  'committed',
  'committed',
  foreignKey,
  'committed',
  'committed',
  'unique',
  'committed',
  foreignKey,
  foreignKey,
  'committed',
  foreignKey,
  'unique',
  foreignKey,
  'committed',
  'EXPECTATION_FAILED',
  'committed',
]

export const deferred: Topic = (subject, _test, onlyFor) => {
  // MySQL checks every constraint at once.
  const test = (name: string, run: () => Promise<void>): void => onlyFor(['sqlite', 'postgres'], name, run)
  const contents = `SELECT 'p' || id AS row FROM parents UNION ALL SELECT 'c' || id || '>' || parent FROM children
    UNION ALL SELECT 'o' || name FROM others ORDER BY 1`

  test('law 4 · batch boundaries decide no outcome: one at a time and in one batch, the same operations end the same', async () => {
    const written = async (maxOperations: number, isTogether: boolean): Promise<unknown> => {
      await using at = await stage(subject, tables, { batch: { maxOperations } })
      const ended: string[] = []
      if (isTogether) ended.push(...(await endings(program.map((operation) => operation(at.db)))))
      else for (const operation of program) ended.push(...(await endings([operation(at.db)])))
      assert.deepEqual(ended, expected)
      return await at.rows(contents)
    }
    const alone = await written(1, false)
    for (const size of [1, 2, 3, 1_000])
      assert.deepEqual(await written(size, true), alone, `batches of ${size}`)
  })

  test('law 4 · a child before its parent is refused by itself, and accepted in one group with it', async () => {
    await using at = await stage(subject, tables)
    const receipts = [
      at.db.insert('children', { id: 1, parent: 1 }),
      at.db.atomic((group) => {
        group.insert('children', { id: 2, parent: 1 })
        group.insert('parents', { id: 1 })
      }),
    ]
    assert.deepEqual(await endings(receipts), [foreignKey, 'committed'])
    assert.deepEqual(await at.rows('SELECT id FROM children'), [{ id: 2 }])
  })

  test('law 4 · hundreds of rows with bad ones among them: exactly the bad ones are rejected', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('parents', { id: 1 })
    const receipts = range(200).map((id) => at.db.insert('children', { id, parent: id % 50 === 7 ? 99 : 1 }))
    const rejected = (await endings(receipts)).flatMap((ending, id) => (ending === foreignKey ? [id] : []))
    assert.deepEqual(rejected, [7, 57, 107, 157])
    assert.equal(await at.value('SELECT count(*) FROM children'), 196)
  })

  test('law 4 · of rows that stand alone in one load, a deferred constraint rejects the bad ones only', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('parents', { id: 1 })
    const rows = range(20).map((id) => ({ id, parent: id % 10 === 7 ? 99 : 1 }))
    const checkpoint = { source: 'a', value: 20 }
    const { rejected } = await at.db.insertMany('children', rows, { atomic: false, checkpoint })
    assert.equal(rejected, 2)
    assert.equal(await at.value('SELECT count(*) FROM children'), 18)
    assert.equal(await at.db.checkpoint('a'), 20)
    assert.deepEqual(
      (await at.db.deadLetters()).map(({ code, content }) => [
        reasonOf(code),
        (content[0] as { values: readonly unknown[] }).values[0],
      ]),
      [
        [foreignKey, 7],
        [foreignKey, 17],
      ],
    )
  })

  test('law 4 · a transaction that violates a deferred constraint is rolled back when it would commit', async () => {
    await using at = await stage(subject, tables)
    const transaction = at.db.transaction(async (trx) => {
      await trx.insertInto('parents').values({ id: 1 }).execute()
      await trx.insertInto('children').values({ id: 1, parent: 2 }).execute()
    })
    await assert.rejects(transaction, /foreign key/i)
    assert.deepEqual(await endings([at.db.insert('parents', { id: 5 })]), ['committed'])
    assert.deepEqual(await at.rows(contents), [{ row: 'p5' }])
  })
}
