import { appendFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'
import { Folder, openChunks, openPath, readAll, readOn, readPath, refusalOf } from './input.fixture.ts'
import { readEntries } from './reader.ts'

const ORDERS = 'id,name,total\n1,Anna,2.5\n2,"Berg, Tom",3\n3,"two\nlines",\n'

test('rows have the header’s names and the types of what is in the columns', async () => {
  const folder = new Folder()
  const path = folder.write('a.csv', ORDERS)
  const source = await openPath(path)
  expect(readEntries(source, { format: 'auto' }).columns).toEqual([
    { name: 'id', type: 'INTEGER' },
    { name: 'name', type: 'TEXT' },
    { name: 'total', type: 'REAL' },
  ])
  await source.close()
  const reading = await readPath(path)
  expect(reading.rows).toEqual([
    { id: 1, name: 'Anna', total: 2.5 },
    { id: 2, name: 'Berg, Tom', total: 3 },
    { id: 3, name: 'two\nlines', total: null },
  ])
  expect(reading.blocks).toMatchObject([{ lines: 5, bytes: ORDERS.length }])
  expect(reading.checkpoint).toMatchObject({ offset: ORDERS.length, line: 5 })
})

test('a value that does not fit its column, and a row of another width, are bad, by line of the file', async () => {
  const folder = new Folder()
  const reading = await readPath(
    folder.write('a.csv', `${ORDERS}4,x,1\n${'5,y,2\n'.repeat(20_000)}six,z,3\n7,w\n8,v,4\n`),
    {
      columns: [
        { name: 'id', type: 'INTEGER' },
        { name: 'name', type: 'TEXT' },
        { name: 'total', type: 'REAL' },
      ],
    },
  )
  expect(reading.rows).toHaveLength(20_005)
  expect(reading.bad).toMatchObject([
    { line: 20_007, text: 'six,z,3', error: 'id is INTEGER, and this is not: "six"' },
    { line: 20_008, text: '7,w', error: '2 fields where the header has 3' },
  ])
})

test('a quote that is never closed costs its line', async () => {
  const folder = new Folder()
  const rows = Array.from({ length: 5_000 }, (_, index) => `${index},x`)
  const text = `id,name\n0,"open\n${rows.join('\n')}\n`
  const reading = await readPath(folder.write('a.csv', text), { maxLineBytes: 30_000 })
  expect(reading.bad).toMatchObject([{ line: 2, text: '0,"open' }])
  expect(reading.rows).toHaveLength(5_000)
  expect(Math.max(...reading.blocks.map((block) => block.rows.length))).toBeLessThanOrEqual(1_000)
  // Each block goes as far as its own rows do: stopped behind any of them, the next run begins with the next row.
  let offset = 0
  for (const block of reading.blocks) {
    expect(block.bytes).toBeGreaterThan(0)
    offset += block.bytes
    expect(block.checkpoint?.offset).toBe(offset)
    expect(block.checkpoint?.line).toBe(text.slice(0, offset).split('\n').length - 1)
  }
  expect(offset).toBe(text.length)
})

test('blank lines are passed over, and need not be again', async () => {
  const folder = new Folder()
  const text = `id,name\n1,a\n${'\n'.repeat(3_000)}`
  const reading = await readPath(folder.write('a.csv', text))
  expect(reading).toMatchObject({
    rows: [{ id: 1 }],
    bad: [],
    checkpoint: { offset: text.length, line: 3_002 },
  })
})

describe('the end of the file', () => {
  test('a record that is not closed is left for the next run', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,name\n1,a\n2,"b\nc')
    const first = await readPath(path)
    expect([first.rows.length, first.bad, first.incomplete?.line]).toEqual([1, [], 3])
    appendFileSync(path, '\nd"\n3,e\n')
    expect((await readOn(path, first)).rows).toEqual([
      { id: 2, name: 'b\nc\nd' },
      { id: 3, name: 'e' },
    ])
  })

  test('so it is when its last line has a line end, and when the row is short', async () => {
    const folder = new Folder()
    const open = await readPath(folder.write('a.csv', 'id,name\n1,a\n2,"b\n'))
    expect([open.rows.length, open.bad, open.incomplete?.line, open.checkpoint?.line]).toEqual([1, [], 3, 2])
    const short = await readPath(folder.write('b.csv', 'id,name\n1,a\n2'))
    expect([short.rows.length, short.bad, short.incomplete?.line]).toEqual([1, [], 3])
  })

  test('a whole last row without a line end is taken', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,name\n1,a\n2,"b"')
    const first = await readPath(path)
    expect([first.rows.length, first.incomplete]).toEqual([2, null])
    appendFileSync(path, '\n3,c\n')
    expect((await readOn(path, first)).rows).toEqual([{ id: 3, name: 'c' }])
  })

  test('a header without a line end may be half of one, and is left', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,na')
    const first = await readPath(path)
    expect([first.rows, first.incomplete]).toMatchObject([
      [],
      { line: 1, error: 'the header has no line end yet' },
    ])
    appendFileSync(path, 'me\n1,a\n')
    expect((await readOn(path, first)).rows).toEqual([{ id: 1, name: 'a' }])
  })

  test('a carriage return whose line feed has not come is nothing yet', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,name\n1,a\n\r')
    const first = await readPath(path)
    expect([first.rows.length, first.incomplete, first.checkpoint?.offset]).toEqual([1, null, 12])
    appendFileSync(path, '\n2,b\n')
    expect(await readOn(path, first)).toMatchObject({ rows: [{ id: 2 }], bad: [], checkpoint: { line: 4 } })
  })

  test('where nothing can follow, what is not closed is bad', async () => {
    for (const end of ['', '\n']) {
      const reading = await readAll(await openChunks([`id,name\n1,a\n2,"b\n3,c${end}`]), { format: 'csv' })
      expect(reading.rows).toEqual([
        { id: 1, name: 'a' },
        { id: 3, name: 'c' },
      ])
      expect(reading.bad).toMatchObject([{ line: 3, error: 'a quote opened here is never closed' }])
    }
  })

  test('a file read to its very end knows that its last line has no line end', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,name\n1,a\n2,"b')
    const first = await readPath(path, { lastLine: 'always' })
    expect([first.bad.map((bad) => bad.line), first.checkpoint?.isLineOpen]).toEqual([[3], true])
    appendFileSync(path, '\n3,c\n')
    expect(await readOn(path, first)).toMatchObject({ rows: [{ id: 3 }], bad: [] })
  })

  test('where a writer is at work, the record it is writing is left', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,name\n1,a\n2,"b\nc')
    expect((await readPath(path, { lastLine: 'never' })).incomplete).toMatchObject({ line: 3, text: '2,"b' })
  })
})

describe('the header', () => {
  test('a file without one is refused', async () => {
    const folder = new Folder()
    for (const content of ['', '\n\n', ',,\n']) {
      const error = await refusalOf(readPath(folder.write('a.csv', content), { format: 'csv' }))
      expect(error.code).toBe('CSV_HEADER_INVALID')
    }
  })

  test('that changed since the last run is refused, and both are named', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', ORDERS)
    const { checkpoint } = await readPath(path)
    if (checkpoint === undefined) throw new Error('no checkpoint')
    folder.write('a.csv', ORDERS.replace('total', 'price'))
    const error = await refusalOf(readPath(path, { from: checkpoint }))
    expect(error).toMatchObject({
      code: 'CSV_HEADER_CHANGED',
      message: expect.stringMatching(/it was \(id, name, total\), now it is \(id, name, price\)$/),
    })
  })

  test('must name the table’s columns, in any order and case', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'ID,name\n1,2\n')
    const columns = [
      { name: 'name', type: 'TEXT' },
      { name: 'id', type: 'INTEGER' },
    ] as const
    expect((await readPath(path, { columns })).rows).toEqual([{ id: 1, name: '2' }])
    for (const other of [columns.slice(0, 1), [...columns, { name: 'more', type: 'TEXT' }] as const]) {
      const error = await refusalOf(readPath(path, { columns: other }))
      expect(error.message).toContain('differs from the table')
    }
  })

  test('keeps its types on the next run, whatever the file looks like by then', async () => {
    const folder = new Folder()
    const path = folder.write('a.csv', 'id,n\n1,1\n')
    const first = await readPath(path)
    appendFileSync(path, '2,x\n')
    const second = await readOn(path, first)
    expect(second.bad).toMatchObject([{ line: 3, error: 'n is INTEGER, and this is not: "x"' }])
  })
})
