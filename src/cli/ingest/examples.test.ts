/** The samples that ship are read as what they are. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openPath, readAll } from './input.fixture.ts'
import { readEntries } from './reader.ts'

const FOLDER = new URL('../../../examples/data/', import.meta.url)

describe.each([
  ['dpkg.log', 'plain', 1_149, []],
  ['pino.ndjson', 'ndjson', 16, [14]],
  ['service.logfmt', 'logfmt', 12, []],
  ['access.log', 'access', 11, []],
  ['newyear.syslog', 'syslog', 14, []],
  ['orders.csv', 'csv', 10, []],
] as const)('%s', (name, format, rows, bad) => {
  test(`is ${format} and gives ${rows} rows`, async () => {
    const source = await openPath(fileURLToPath(new URL(name, FOLDER)))
    expect(readEntries(source, { format: 'auto' })).toMatchObject({
      format,
      detection: { confidence: expect.any(Number) },
    })
    const reading = await readAll(source)
    expect(reading.rows).toHaveLength(rows)
    expect(reading.bad.map((line) => line.line)).toEqual(bad)
    expect(reading.incomplete).toBeNull()
  })
})

test('the order book has typed columns, and a note over three lines', async () => {
  const source = await openPath(fileURLToPath(new URL('orders.csv', FOLDER)))
  expect(readEntries(source, { format: 'auto' }).columns).toEqual([
    { name: 'id', type: 'INTEGER' },
    { name: 'placed_at', type: 'TEXT' },
    { name: 'customer', type: 'TEXT' },
    { name: 'total', type: 'REAL' },
    { name: 'items', type: 'INTEGER' },
    { name: 'note', type: 'TEXT' },
  ])
  const { rows } = await readAll(source)
  expect(rows[2]).toMatchObject({
    id: 9003,
    total: 230.45,
    note: expect.stringContaining('\n12 Quay Street'),
  })
  expect(rows[7]).toMatchObject({ total: null, note: 'cancelled before payment' })
})
