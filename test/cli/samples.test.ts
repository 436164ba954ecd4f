/** The files in examples/data, ingested with nothing but their names. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { look, temporaryFolder } from '../support/database-file.ts'
import { root, succeed } from './command.ts'

const samples = path.join(root, 'examples/data')
/** Of each sample: its format, its table, its rows, and the lines that are none. */
const expected = {
  'access.log': ['access', 'logs', 11, 0],
  'dpkg.log': ['plain', 'logs', 1_149, 0],
  'newyear.syslog': ['syslog', 'logs', 14, 0],
  'orders.csv': ['csv', 'orders', 10, 0],
  'pino.ndjson': ['ndjson', 'logs', 16, 1],
  'service.logfmt': ['logfmt', 'logs', 12, 0],
} as const

interface TableColumn {
  readonly name: string
  readonly type: string
  readonly pk: number
  readonly notnull: number
}

test('every sample has its test', () => {
  const files = readdirSync(samples).filter((name) => !name.startsWith('.'))
  expect(files.toSorted()).toEqual(Object.keys(expected))
})

// SPEC S4.9
test.each(['plain', 'gzip'])('every sample is recognised and read, %s', async (packing) => {
  const folder = temporaryFolder()
  cpSync(samples, folder, { recursive: true })
  const names = Object.keys(expected).map((name) => {
    if (packing === 'plain') return name
    writeFileSync(path.join(folder, `${name}.gz`), gzipSync(readFileSync(path.join(folder, name))))
    return `${name}.gz`
  })
  const first = await succeed(folder, 'ingest', ...names)
  const second = await succeed(folder, 'ingest', ...names)

  const reports = first.split(/\n(?! )/)
  for (const [index, [format, table, rows, bad]] of Object.values(expected).entries()) {
    const report = reports[index] ?? ''
    expect(report).toContain(
      `${names[index]}: ${rows.toLocaleString('en-US')} rows into table "${table}" of app.db in `,
    )
    expect(report).toMatch(new RegExp(`, read as ${format}(\n|$)`))
    expect(report).not.toContain('not sure')
    if (bad > 0)
      expect(report).toContain(`\n  ${bad} bad line kept as dead letters, the first is line 14: not JSON`)
    else expect(report).not.toContain('dead letter')
  }
  expect(second.match(/: 0 rows into .*\n {2}went on behind line /g)).toHaveLength(names.length)

  const database = path.join(folder, 'app.db')
  const logRows = Object.values(expected).reduce(
    (sum, [, table, rows]) => sum + (table === 'logs' ? rows : 0),
    0,
  )
  expect(look(database, 'SELECT count(*) AS logs FROM logs')).toEqual([{ logs: logRows }])
  expect(look(database, 'SELECT count(*) AS orders FROM orders')).toEqual([{ orders: 10 }])
  expect(look(database, 'SELECT message FROM tidemark_dead_letters')).toEqual([
    { message: expect.stringMatching(`^${names[4]}, line 14: not JSON`) },
  ])
})

// SPEC S4.8
test('logs go to exactly the log table, so that a later version can add to it', async () => {
  const folder = temporaryFolder()
  await succeed(folder, 'ingest', path.join(samples, 'service.logfmt'))
  const database = path.join(folder, 'app.db')

  const columns = look<TableColumn>(
    database,
    'SELECT name, type, pk, "notnull" FROM pragma_table_info(\'logs\')',
  )
  expect(columns.map(({ name, type, pk, notnull }) => [name, type, pk, notnull])).toEqual([
    ['id', 'INTEGER', 1, 0],
    ['ts', 'INTEGER', 0, 0],
    ['level', 'TEXT', 0, 0],
    ['service', 'TEXT', 0, 0],
    ['message', 'TEXT', 0, 0],
    ['attributes', 'TEXT', 0, 0],
  ])
  expect(look(database, 'SELECT * FROM logs WHERE id = 2')).toEqual([
    {
      id: 2,
      ts: Date.UTC(2024, 4, 1, 11, 42, 3, 204),
      level: 'info',
      service: 'gateway',
      message: 'routes loaded',
      attributes: '{"count":42,"duration":"81ms"}',
    },
  ])
})

test('CSV makes a table of its header, with types inferred from its rows', async () => {
  const folder = temporaryFolder()
  await succeed(folder, 'ingest', path.join(samples, 'orders.csv'))
  const database = path.join(folder, 'app.db')

  expect(look(database, "SELECT name, type FROM pragma_table_info('orders')")).toEqual([
    { name: 'id', type: 'INTEGER' },
    { name: 'placed_at', type: 'TEXT' },
    { name: 'customer', type: 'TEXT' },
    { name: 'total', type: 'REAL' },
    { name: 'items', type: 'INTEGER' },
    { name: 'note', type: 'TEXT' },
  ])
  expect(look(database, 'SELECT * FROM orders LIMIT 1 OFFSET 1')).toEqual([
    {
      id: 9002,
      placed_at: '2024-05-01T09:15:02Z',
      customer: 'Okafor, Chidi',
      total: 12,
      items: 1,
      note: 'Leave at the door, please.',
    },
  ])
})

test('--format overrules what a file looks like, and --table and --db say where it goes', async () => {
  const folder = temporaryFolder()
  const where = ['--table', 'raw', '--db', 'other.db']
  const output = await succeed(
    folder,
    'ingest',
    path.join(samples, 'pino.ndjson'),
    '--format',
    'plain',
    ...where,
  )
  expect(output).toContain('17 rows into table "raw" of other.db')
  expect(readdirSync(folder).filter((name) => name.endsWith('.db'))).toEqual(['other.db'])
})
