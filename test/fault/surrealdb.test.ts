/** SurrealDB: one process a path, what a kill leaves, and what its client's values become. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql as surrealql } from 'kysely'
import { DateTime, Decimal, Duration, RecordId, Uuid } from 'surrealdb'
import { expect, test } from 'vitest'
import { NotSupportedError, open, type Tidemark } from '../../src/index.ts'
import { batchAware, surrealdb } from '../../src/surrealdb.ts'
import { freshSurreal } from '../conformance/surreal-subject.ts'
import { Child } from '../support/child.ts'

const program = new URL('surreal-process.ts', import.meta.url)
const endingProgram = new URL('surreal-ending.ts', import.meta.url)
type AnyTidemark = Tidemark<Record<string, Record<string, unknown>>>

function folder(): { readonly url: string } & Disposable {
  const made = mkdtempSync(path.join(tmpdir(), 'tidemark-surreal-'))
  return {
    url: `surrealkv://${made}/data`,
    [Symbol.dispose]: () => rmSync(made, { recursive: true, force: true, maxRetries: 9 }),
  }
}

/** An engine on a database of its own, made by these statements. */
async function stage(schema: string, options: { readonly numbered?: readonly string[] } = {}) {
  const { client, dispose } = await freshSurreal()
  await client.query(schema)
  const db: AnyTidemark = await open(surrealdb(client, options))
  return {
    client,
    db,
    [Symbol.asyncDispose]: async () => {
      await db.close({ timeoutMs: 1_000 }).catch(() => undefined)
      await dispose()
    },
  }
}

test('a path that is open is refused at once, here and in another process', async () => {
  using at = folder()
  const db = await open(surrealdb(at.url))
  await expect(open(surrealdb(at.url))).rejects.toThrow(/is open already, in this process or another/)
  const other = new Child(program, [at.url])
  expect(await other.said('refused')).toMatch(/is open already/)
  await other.kill()
  await db.close()
})

test('a path that was closed can be opened again at once, and the rows are there', async () => {
  using at = folder()
  for (let round = 1; round <= 3; round++) {
    const db: AnyTidemark = await open(surrealdb(at.url))
    await db.transaction(async (trx) => void (await surrealql`DEFINE TABLE IF NOT EXISTS rows`.execute(trx)))
    await db.insert('rows', { id: round })
    for (let id = 1; id <= round; id++) expect((await db.get('rows', { id })).row).toEqual({ id })
    await db.close()
  }
})

// An engine in which indexes were left kept it for ever.
test.for(['mem://', 'surrealkv://'])(
  'a process that has closed a new database (%s) ends by itself',
  async (url) => {
    using at = folder()
    const child = new Child(endingProgram, [url === 'mem://' ? url : at.url])
    expect(await child.ended).toEqual({ code: 0, signal: null })
  },
)

test('engines of one store share its client', async () => {
  using at = folder()
  const store = surrealdb(at.url)
  const [one, two]: AnyTidemark[] = [await open(store), await open(store)] as never
  await one?.transaction(async () => undefined)
  await one?.close()
  expect(two?.stats().committed.operations).toBe(0)
  await two?.close()
})

// SPEC S0.7
test('laws 1 and 3 · a process that is killed leaves every row that was committed, once, and the path free', async () => {
  using at = folder()
  let committed = -1
  for (const lines of [3, 10, 25]) {
    const child = new Child(program, [at.url, String(committed + 1)])
    await child.said(`told ${lines}`)
    await child.kill()
    for (const line of child.lines) {
      const [word, n] = line.split(' ')
      if (word === 'committed') committed = Number(n)
    }
    const db: AnyTidemark = await open(surrealdb(at.url))
    const { rows } = await db.query({ sql: 'SELECT id FROM rows ORDER BY id', parameters: [] })
    await db.close()
    const ids = rows.map(({ id }) => Number(id))
    // A prefix, in order, that holds all of which the process was told.
    expect(ids).toEqual(ids.map((_, index) => index))
    expect(ids.length).toBeGreaterThan(committed)
    committed = ids.length - 1
  }
}, 60_000)

test('values of the client’s classes, and documents, are held as they are by every call', async () => {
  await using at = await stage('DEFINE TABLE notes SCHEMALESS; DEFINE TABLE people SCHEMALESS')
  const fields = {
    done: true,
    at: new Date('2026-01-02T03:04:05.678Z'),
    exact: new DateTime('2026-01-02T03:04:05.123456789Z'),
    by: new RecordId('people', 'it’s me'),
    price: new Decimal('0.10000000000000000001'),
    after: new Duration('1h30m'),
    key: new Uuid('018f2f6e-8f0c-7cc0-8000-000000000000'),
    tags: ['a', { b: [1n, null, false, new Uint8Array([1, 2])] }],
    nothing: null,
    text: '{"$":["number","1"]}',
  }
  const { db, client } = at
  db.insert('notes', { id: 'a', ...fields })
  db.upsert('notes', { id: 'b', ...fields })
  db.insert('notes', { id: 'c' })
  db.update('notes', { id: 'c' }, fields)
  const names = Object.keys(fields)
  const sets = names.map((name, index) => `${name} = $p${index + 1}`).join(', ')
  const parameters = Object.values(fields)
  await db.write({ sql: `CREATE notes:d SET ${sets}`, parameters })
  const [rows] = await client.query<[Record<string, unknown>[]]>('SELECT * OMIT id FROM notes ORDER BY id')
  const seen = rows.map((row) => ({
    ...row,
    at: (row['at'] as DateTime).toISOString(),
    exact: String(row['exact']),
    by: String(row['by']),
    price: String(row['price']),
    after: (row['after'] as Duration).toString(),
    key: String(row['key']),
  }))
  expect(seen).toHaveLength(4)
  for (const row of seen)
    expect(row).toMatchObject({
      done: true,
      at: fields.at.toISOString(),
      exact: '2026-01-02T03:04:05.123456789Z',
      by: String(fields.by),
      price: '0.10000000000000000001',
      after: '1h30m',
      key: '018f2f6e-8f0c-7cc0-8000-000000000000',
      tags: ['a', { b: [1, null, false, expect.anything()] }],
      nothing: null,
      text: fields.text,
    })
})

test('a key is any text, a number or a list, and names its record', async () => {
  await using at = await stage(
    'DEFINE TABLE files; DEFINE TABLE pairs SCHEMAFULL; DEFINE FIELD a ON pairs TYPE int; DEFINE FIELD b ON pairs TYPE string; DEFINE FIELD c ON pairs TYPE any; DEFINE INDEX primary_key ON pairs FIELDS a, b UNIQUE',
  )
  const { db, client } = at
  const keys = ['a/b.md', 'ö `⟩ \\ "\'', '5', 5, -5, '', 'x:y']
  for (const id of keys) db.upsert('files', { id, n: 1 })
  for (const id of keys) db.update('files', { id }, { n: 2 }, { expect: 1 })
  for (const c of [1, 2]) db.upsert('pairs', { a: 1, b: 'x', c })
  await db.flush()
  for (const id of keys) expect(await client.select(new RecordId('files', id))).toMatchObject({ n: 2 })
  expect(await client.select(new RecordId('pairs', [1, 'x']))).toMatchObject({ a: 1, b: 'x', c: 2 })
  expect(await db.get('pairs', { a: 1, b: 'x' })).toEqual({ row: { a: 1, b: 'x', c: 2 }, pending: false })
  expect(await db.get('files', { id: 'x:y' })).toEqual({ row: { id: 'x:y', n: 2 }, pending: false })
  const refused = await db.update('pairs', { a: 1, b: 'x' }, { b: 'y' }).outcome()
  expect(refused).toMatchObject({ kind: 'rejected', error: { storeCode: 'KEY_CHANGED' } })
})

test('law 4 · a row that one of two indexes refuses leaves nothing in the other', async () => {
  await using at = await stage(
    'DEFINE TABLE t; DEFINE INDEX one ON t FIELDS one UNIQUE; DEFINE INDEX two ON t FIELDS two UNIQUE',
  )
  const rows = [
    { id: 1, one: 'a', two: 'a' },
    { id: 2, one: 'b', two: 'a' },
    { id: 3, one: 'b', two: 'b' },
  ]
  const ended = await Promise.all(rows.map((row) => at.db.insert('t', row).outcome()))
  expect(ended.map(({ kind }) => kind)).toEqual(['committed', 'rejected', 'committed'])
  const again = await at.db.upsert('t', { id: 3, two: 'a' }).outcome()
  expect(again.kind).toBe('rejected')
  expect((await at.db.insert('t', { id: 4, one: 'c', two: 'c' })).position.seq).toBe(5)
})

test('law 4 · an operation that may have done a part is undone wholly, and its neighbours are committed', async () => {
  await using at = await stage(
    'DEFINE TABLE t; DEFINE TABLE u; DEFINE FIELD n ON t TYPE int ASSERT $value < 10',
  )
  const { db } = at
  for (const id of [1, 2, 3]) db.insert('t', { id, n: 7 + id - 1 })
  const outcomes = await Promise.all(
    [
      db.insert('u', { id: 'before' }),
      // The third record refuses it, behind two that took it.
      db.write({ sql: 'UPDATE t SET n += 1', parameters: [] }),
      db.write({ sql: 'UPDATE t SET n -= 1', parameters: [] }, { expect: 99 }),
      db.atomic((group) => {
        group.insert('u', { id: 'in a group' })
        group.insert('t', { id: 4, n: 99 })
      }),
      db.update('t', { id: 1 }, { n: 1 }, { expect: 0 }),
      db.insert('u', { id: 'after' }),
    ].map((receipt) => receipt.outcome()),
  )
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    'committed',
    'rejected',
    'rejected',
    'rejected',
    'rejected',
    'committed',
  ])
  const { rows } = await db.query({ sql: 'SELECT id, n FROM t ORDER BY id', parameters: [] })
  expect(rows.map(({ n }) => n)).toEqual([7, 8, 9])
  expect((await db.query({ sql: 'SELECT id FROM u', parameters: [] })).rows).toHaveLength(2)
  expect((await db.deadLetters()).map(({ seq }) => seq)).toEqual([5, 6, 7, 8])
})

test('law 4 · after a statement that failed, a transaction runs nothing more and is not committed', async () => {
  await using at = await stage('DEFINE TABLE t; DEFINE FIELD n ON t TYPE int')
  const failing = at.db.transaction(async (trx) => {
    await trx.insertInto('t').values({ n: 1 }).execute()
    await expect(trx.insertInto('t').values({ n: 'x' }).execute()).rejects.toThrow(/coerce/)
    await expect(trx.selectFrom('t').selectAll().execute()).rejects.toThrow(/may have done a part/)
  })
  await expect(failing).rejects.toThrow(/may have done a part/)
  expect((await at.db.query({ sql: 'SELECT * FROM t', parameters: [] })).rows).toEqual([])
})

test('law 3 · numbers for keys are given once, whoever inserts', async () => {
  await using at = await stage('DEFINE TABLE songs', { numbered: ['songs'] })
  const { db, client } = at
  await client.query('INSERT INTO songs { id: 40, title: "there before" }')
  expect((await db.insert('songs', { title: 'a' })).id).toBe(41)
  await client.query('INSERT INTO songs { id: fn::tidemark_id("songs"), title: "beside" }')
  const receipts = [1, 2, 3].map(() => db.insert('songs', { title: 'b' }))
  expect((await Promise.all(receipts)).map(({ id }) => id)).toEqual([43, 44, 45])
})

test('what SurrealDB cannot do is said', async () => {
  await using at = await stage('DEFINE TABLE t')
  const query = { sql: 'SELECT * FROM t', parameters: [] }
  await expect(at.db.query(query, { asArrays: true })).rejects.toBeInstanceOf(NotSupportedError)
  await expect(open(surrealdb(at.client), { derive: { t: 'x' } })).rejects.toBeInstanceOf(NotSupportedError)
  expect(() => at.db.read().introspection).toThrow(NotSupportedError)
  await expect(
    at.db.read().selectFrom('t').innerJoin('t as u', 'u.id', 't.id').selectAll().execute(),
  ).rejects.toThrow(/Parse error/)
  expect(() => surrealdb('postgres://x')).toThrow(/needs a client, or a URL/)
  expect(() => surrealdb('mem://', { colour: 'red' } as never)).toThrow(/colour is not an option/)
  expect(() => surrealdb(at.client, { namespace: 'x' })).toThrow(/of its own/)
})

// SPEC S0.1
test('a client that is there already goes on as it was, beside batched writes and reads with a level', async () => {
  const { client, dispose } = await freshSurreal()
  await client.query('DEFINE TABLE notes; DEFINE TABLE tags')
  const notes = await batchAware(client, { batch: { lingerMs: 60_000 } })
  const note = new RecordId('notes', 'a.md')
  await notes.client.create(note).content({ title: 'as before', n: 1 })
  const receipt = notes.batched.merge(note, { title: 'batched' })
  notes.batched.upsert(new RecordId('notes', 'b.md'), { title: 'new' })
  notes.batched.create('tags', { name: 'x' })
  notes.batched.insert('tags', [{ id: 'y' }, { id: 'z' }])
  expect(receipt.state).toBe('pending')
  const old = await notes.read('eventual').select(note)
  expect(old.rows).toEqual([{ id: 'a.md', title: 'as before', n: 1 }])
  expect(old.pending).toMatchObject([{ table: 'notes', operations: 1 }])
  const now = await notes.read('strong').select(note)
  expect(now.rows).toEqual([{ id: 'a.md', title: 'batched', n: 1 }])
  expect(now.pending).toEqual([])
  notes.batched.delete(new RecordId('notes', 'b.md'))
  const sql = 'SELECT VALUE title FROM notes WHERE title != $not AND "$not" != $also'
  const { rows } = await notes.read('strong').query(sql, { not: 'x', also: 'y', unused: 1 })
  expect(rows).toEqual([{ value: 'batched' }])
  expect((await notes.read('strong').query('SELECT count() FROM tags GROUP ALL')).rows).toEqual([
    { count: 3 },
  ])
  await notes.close()
  // It is the caller's, and open.
  expect(await client.select(note)).toMatchObject({ title: 'batched' })
  await dispose()
})
