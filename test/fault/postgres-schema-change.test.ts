/** Tables change under the engine, by another program, while it writes: each write is committed, or refused for a reason that holds. */
import { expect, test } from 'vitest'
import { InvalidOperationError, open, type Receipt } from '../../src/index.ts'
import { systemRuntime } from '../../src/runtime/system.ts'
import { Connection } from '../../src/stores/postgres/connection.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { POSTGRES_DEFAULTS } from '../../src/stores/postgres/options.ts'
import { readSchema } from '../../src/stores/postgres/schema.ts'
import { Session } from '../../src/stores/postgres/session.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import { withServer } from '../support/servers/installed.ts'
import { debianPostgres, embeddedPostgres, type PostgresServer } from '../support/servers/postgres.ts'

const schema = `
  CREATE TABLE shifting (n integer NOT NULL, doc text, extra text);
  CREATE TABLE keyed (id integer PRIMARY KEY, n integer NOT NULL)`

interface Row {
  readonly n: number
  readonly receipt: Receipt
}

/** Changes the tables over and over until so many rows are written. */
async function writeWhile(db: AnyTidemark, change: () => Promise<void>, count: number): Promise<Row[]> {
  const rows: Row[] = []
  const over = new AbortController()
  const writing = (async () => {
    while (!over.signal.aborted) {
      for (let left = 20; left > 0; left--) {
        const n = rows.length + 1
        try {
          rows.push({ n, receipt: db.insert('shifting', { n, doc: '{"a": 1}', extra: 'x' }) })
          db.upsert('keyed', { id: n % 7, n })
        } catch (error) {
          // A table or column that is not there is refused at the call, and nothing is queued.
          if (!(error instanceof InvalidOperationError)) throw error
          await db.reloadSchema()
        }
      }
      await rows.at(-1)?.receipt.outcome()
    }
  })()
  try {
    while (rows.length < count) await change()
  } finally {
    over.abort()
    await writing
  }
  return rows
}

const harmless = [
  ['ALTER TABLE shifting ADD COLUMN later integer DEFAULT 5', 'ALTER TABLE shifting DROP COLUMN later'],
  ['ALTER TABLE keyed ADD COLUMN later text', 'ALTER TABLE keyed DROP COLUMN later'],
  ['ALTER TABLE shifting ALTER n TYPE bigint', 'ALTER TABLE shifting ALTER n TYPE integer'],
  ['ALTER TABLE shifting ALTER doc TYPE jsonb USING doc::jsonb', 'ALTER TABLE shifting ALTER doc TYPE text'],
  ['CREATE INDEX shifting_n ON shifting (n)', 'DROP INDEX shifting_n'],
  [
    `BEGIN; LOCK TABLE shifting; CREATE TABLE other AS TABLE shifting; DROP TABLE shifting;
     ALTER TABLE other RENAME TO shifting; COMMIT`,
  ],
]
const felt = [
  ['ALTER TABLE shifting RENAME TO away', 'ALTER TABLE away RENAME TO shifting'],
  ['ALTER TABLE shifting DROP COLUMN extra', 'ALTER TABLE shifting ADD COLUMN extra text'],
]

function changing(server: PostgresServer): void {
  test.for([
    { what: 'that take all the same', changes: harmless, count: 1_000, reasons: [] as string[] },
    { what: 'that are sometimes not there', changes: felt, count: 300, reasons: ['42P01', '42703'] },
  ])(
    'law 5 · while another program changes tables $what, nothing is lost or wrongly refused',
    async ({ changes, count, reasons }) => {
      const url = await server.createDatabase()
      await server.query(schema, url)
      await using db: AnyTidemark = await open(postgres(url), { batch: { maxOperations: 50 } })
      const other = await server.connect(url)
      const rows = await writeWhile(
        db,
        async () => {
          for (const steps of changes) for (const step of steps) await other.query(step)
        },
        count,
      )
      const committed: number[] = []
      for (const { n, receipt } of rows) {
        const outcome = await receipt.outcome()
        if (outcome.kind === 'committed') committed.push(n)
        else expect(reasons).toContain(outcome.kind === 'rejected' ? outcome.error.storeCode : outcome)
      }
      const { rows: found } = await other.query<{ n: string }>('SELECT n FROM shifting ORDER BY n')
      expect(found.map(({ n }) => Number(n))).toEqual(committed)
      await db.insert('shifting', { n: 0, doc: '{}' })
      await other.end()
    },
  )
}

await withServer(embeddedPostgres, (server) => {
  changing(server)

  test('law 5 · tables of which one was named otherwise meanwhile are not taken for what they were', async () => {
    const url = await server.createDatabase()
    await server.query(schema, url)
    const connection = await Connection.open(url, POSTGRES_DEFAULTS, systemRuntime)
    const versions: string[] = []
    for (const [from, to] of [
      ['shifting', 'away'],
      ['away', 'shifting'],
      ['shifting', 'away'],
    ]) {
      await server.query(`ALTER TABLE ${from} RENAME TO ${to}`, url)
      versions.push((await readSchema(new Session(connection))).version)
    }
    await connection.end()
    expect(new Set(versions).size).toBe(3)
  })

  test('law 5 · tables that another program makes anew while they are read are read as of one moment', async () => {
    const url = await server.createDatabase()
    await server.query(schema, url)
    const connection = await Connection.open(url, POSTGRES_DEFAULTS, systemRuntime)
    const session = new Session(connection)
    const read = session.run.bind(session)
    session.run = async (sql, parameters) => {
      const answer = await read(sql, parameters)
      await server.query(`DROP TABLE shifting, keyed; ${schema}`, url)
      return answer
    }
    const { tables } = await readSchema(session)
    await connection.end()
    expect([...tables.values()].map(({ name, columns }) => [name, [...columns.keys()]])).toEqual([
      ['keyed', ['id', 'n']],
      ['shifting', ['n', 'doc', 'extra']],
    ])
  })

  test('law 5 · a value that fits since another program changed the column is not refused for what the column was', async () => {
    const url = await server.createDatabase()
    await server.query(schema, url)
    await using db: AnyTidemark = await open(postgres(url))
    await db.insert('shifting', { n: 1 })
    await server.query('ALTER TABLE shifting ALTER n TYPE bigint', url)
    const rows = [3_000_000_000, 4].map((n) => db.insert('shifting', { n }))
    await Promise.all(rows)
    expect(await server.query('SELECT n::text FROM shifting', url)).toEqual([
      { n: '1' },
      { n: '3000000000' },
      { n: '4' },
    ])
  })
})
await withServer(debianPostgres, changing)
