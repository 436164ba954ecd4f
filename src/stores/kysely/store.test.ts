/** What the conformance suite does not reach: a driver that lies, and what only this store could get wrong. */
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, SqliteDriver, type DatabaseConnection, type Driver } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { open } from '../../index.ts'
import { kysely } from './index.ts'

type Tables = Record<string, Record<string, unknown>>

const instances: Kysely<Tables>[] = []
afterEach(async () => {
  for (const instance of instances.splice(0)) await instance.destroy()
})

/** @param driverOf a driver in place of Kysely's own, over the same database */
function database(
  schema: string,
  driverOf: (database: ConstructorParameters<typeof SqliteDriver>[0]) => Driver = (config) =>
    new SqliteDriver(config),
) {
  const file = new Database(':memory:')
  for (const statement of schema.split(';').filter((text) => text.trim() !== ''))
    file.prepare(statement).run([])
  const config = { database: file }
  const dialect = new SqliteDialect(config)
  const instance = new Kysely<Tables>({
    dialect: {
      createAdapter: () => dialect.createAdapter(),
      createDriver: () => driverOf(config),
      createIntrospector: (db) => dialect.createIntrospector(db),
      createQueryCompiler: () => dialect.createQueryCompiler(),
    },
  })
  instances.push(instance)
  return { store: kysely(instance), rows: (sql: string) => file.prepare(sql).all([]) }
}

const songs = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

/** Fails at some COMMITs, before or after the database has made them. */
class TornDriver extends SqliteDriver {
  readonly #isDone: boolean
  commits = 0
  isTorn = false

  constructor(config: ConstructorParameters<typeof SqliteDriver>[0], isDone: boolean) {
    super(config)
    this.#isDone = isDone
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const isTorn = this.isTorn && ++this.commits % 3 === 1
    if (!isTorn || this.#isDone) await super.commitTransaction(connection)
    if (isTorn) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  }
}

test.each([
  ['after the database made it', true],
  ['before the database made it', false],
])('law 3 · a COMMIT whose connection is lost %s is applied once', async (_, isDone) => {
  let driver: TornDriver | undefined
  const { store, rows } = database(songs, (config) => (driver = new TornDriver(config, isDone)))
  await using db = await open<Tables>(store, { batch: { maxOperations: 10 } })
  const outcomes: string[] = []
  db.on('retry', ({ error }) => outcomes.push(error.outcome))
  if (driver) driver.isTorn = true
  const receipts = Array.from({ length: 60 }, (_ignored, n) => db.insert('songs', { id: n + 1, title: 'a' }))
  for (const receipt of receipts) expect((await receipt.outcome()).kind).toBe('committed')
  expect(rows('SELECT count(*) AS count, max(id) AS last FROM songs')).toEqual([{ count: 60, last: 60 }])
  expect(outcomes.length).toBeGreaterThan(0)
  expect(new Set(outcomes)).toEqual(new Set(['unknown']))
  if (driver) driver.isTorn = false
})

test('law 4 · rows of one run that refer to each other are judged one by one', async () => {
  const { store, rows } = database(
    'PRAGMA foreign_keys = ON; CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES tree (id))',
  )
  await using db = await open<Tables>(store)
  const receipts = [
    db.insert('tree', { id: 1, parent: 2 }),
    db.insert('tree', { id: 2, parent: null }),
    db.insert('tree', { id: 3, parent: 2 }),
  ]
  const kinds = await Promise.all(receipts.map(async (receipt) => (await receipt.outcome()).kind))
  expect(kinds).toEqual(['rejected', 'committed', 'committed'])
  expect(rows('SELECT id FROM tree')).toEqual([{ id: 2 }, { id: 3 }])
})

test('law 3 · a write that hides in a read is refused by the database', async () => {
  const { store, rows } = database(songs)
  await using db = await open<Tables>(store)
  await db.insert('songs', { title: 'a' })
  await expect(
    db.query({ sql: 'WITH a AS (SELECT 1) DELETE FROM songs', parameters: [] }),
  ).rejects.toMatchObject({ failure: 'rejected', storeCode: 'SQLITE_READONLY' })
  await db.insert('songs', { title: 'b' })
  expect(rows('SELECT title FROM songs')).toEqual([{ title: 'a' }, { title: 'b' }])
})

test('law 9 · close ends the epoch with its final tidemark', async () => {
  const { store, rows } = database(songs)
  const db = await open<Tables>(store)
  await db.insert('songs', { title: 'a' })
  await db.close()
  expect(rows('SELECT watermark, closed FROM tidemark_writers')).toEqual([{ watermark: 1, closed: 1 }])
})

test('tables that another version made are refused, never guessed at', async () => {
  const older = database('CREATE TABLE tidemark_writers (writer TEXT)')
  await expect(open<Tables>(older.store)).rejects.toMatchObject({ failure: 'fatal' })
  const newer = database(
    "CREATE TABLE tidemark_database (id TEXT, secret TEXT, format INTEGER, last_epoch INTEGER); INSERT INTO tidemark_database VALUES ('a', 'b', 99, 0)",
  )
  await expect(open<Tables>(newer.store)).rejects.toThrow(/format 99/)
})

/** From some moment on it begins as many transactions as it may, and then no more. */
class CountingDriver extends SqliteDriver {
  left = Infinity

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.left-- <= 0) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    await super.beginTransaction(connection)
  }
}

test('law 1 · nobody is told "not committed" of a batch whose operations are committed one by one, and stop half-way', async () => {
  let driver: CountingDriver | undefined
  const { store, rows } = database(
    `CREATE TABLE albums (id INTEGER PRIMARY KEY);
     CREATE TABLE songs (id INTEGER PRIMARY KEY, album INTEGER REFERENCES albums (id) DEFERRABLE INITIALLY DEFERRED)`,
    (config) => (driver = new CountingDriver(config)),
  )
  const db = await open<Tables>(store, { batch: { lingerMs: 60_000 } })
  const retried = new Promise<void>((resolve) => void db.on('retry', () => resolve()))
  const receipts = [1, 2, 3].map((id) => db.insert('songs', { id, album: null }))
  if (driver) driver.left = 2
  const outcomes = receipts.map((receipt) => receipt.outcome())
  await retried
  await db.close({ timeoutMs: 0 }).catch(() => undefined)
  expect(rows('SELECT id FROM songs')).toEqual([{ id: 1 }, { id: 2 }])
  for (const outcome of await Promise.all(outcomes))
    expect(outcome).toMatchObject({ kind: 'abandoned', error: { outcome: 'unknown' } })
})
