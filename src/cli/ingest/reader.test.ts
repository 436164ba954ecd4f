import { appendFileSync, writeFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'
import type { Checkpoint } from './checkpoint.ts'
import { parseCheckpoint } from './checkpoint.ts'
import {
  Folder,
  MODIFIED_MS,
  openChunks,
  openPath,
  readAll,
  readOn,
  readPath,
  refusalOf,
} from './input.fixture.ts'
import { readEntries } from './reader.ts'

const GOOD = '{"msg":"good"}\n'

function messages(reading: { rows: readonly unknown[] }): unknown[] {
  return reading.rows.map((row) =>
    typeof row === 'object' && row !== null && 'message' in row ? row.message : row,
  )
}

async function checkpointAfter(path: string): Promise<Checkpoint> {
  const { checkpoint } = await readPath(path)
  if (checkpoint === undefined) throw new Error('no checkpoint')
  return checkpoint
}

describe('bad lines', () => {
  test('have number, offset, text and reason; their neighbours are rows', async () => {
    const folder = new Folder()
    const reading = await readPath(folder.write('a.log', `${GOOD}${GOOD}\n{"msg":\n${GOOD}`))
    expect(messages(reading)).toEqual(['good', 'good', 'good'])
    expect(reading.bad).toEqual([
      { line: 4, offset: 31, text: '{"msg":', error: expect.stringMatching(/^not JSON/) },
    ])
    expect(reading.blocks).toMatchObject([{ lines: 5, bytes: 54 }])
  })

  test('are shown up to 4 KB, cut between characters', async () => {
    const folder = new Folder()
    const reading = await readPath(
      folder.write('a.log', `${GOOD.repeat(3)}{${'é'.repeat(5_000)}\n{x${'é'.repeat(5_000)}\n`),
    )
    expect(reading.bad.map((bad) => Buffer.byteLength(bad.text))).toEqual([4_095, 4_096])
    expect(reading.bad.map((bad) => bad.text.at(-1))).toEqual(['é', 'é'])
  })

  test('a line of 50 MB, invalid UTF-8 and NUL bytes, each with its number', async () => {
    const folder = new Folder()
    const content = Buffer.concat([
      Buffer.from(GOOD.repeat(1_000)),
      Buffer.alloc(50 * 1_048_576, 'x'),
      Buffer.from(`\n${GOOD}`),
      Buffer.from([0x7b, 0xff, 0x0a]),
      Buffer.from(`{\0}\n${GOOD}`),
    ])
    const reading = await readPath(folder.write('a.log', content))
    expect(reading.rows).toHaveLength(1_002)
    expect(reading.bad.map((bad) => [bad.line, bad.text.length, bad.error])).toEqual([
      [1_001, 4_096, 'a line of 52428800 bytes; at most 1048576 are read'],
      [1_003, 2, expect.stringMatching(/^not UTF-8; /)],
      [1_004, 3, 'holds NUL bytes, as a crash leaves them in a log'],
    ])
  })

  test('Latin-1 is read as such on request', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', Buffer.from('{"msg":"für"}\n', 'latin1'))
    expect(messages(await readPath(path, { encoding: 'latin1', format: 'ndjson' }))).toEqual(['für'])
  })

  test('a byte order mark and carriage returns are not part of any line', async () => {
    const folder = new Folder()
    const reading = await readPath(folder.write('a.log', '\uFEFF{"msg":"a"}\r\n{"msg":"b"}\r\n\r\n'))
    expect([messages(reading), reading.bad]).toEqual([['a', 'b'], []])
  })
})

describe('a last line without a line end', () => {
  test('is taken if it is whole; the line end that comes later adds nothing', async () => {
    const folder = new Folder()
    for (const end of ['\n', '\r\n']) {
      const path = folder.write('a.log', `${GOOD}{"msg":"last"}`)
      const first = await readPath(path)
      expect([messages(first), first.incomplete]).toEqual([['good', 'last'], null])
      expect(first.checkpoint).toMatchObject({ line: 2, isLineOpen: true })
      appendFileSync(path, `${end}{"msg":"next"}\nbad\n`)
      const second = await readOn(path, first)
      expect([messages(second), second.bad.map((bad) => bad.line)]).toEqual([['next'], [4]])
    }
  })

  test('half a JSON line is left for the next run, which takes all of it', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', `${GOOD}{"msg":"ha`)
    const first = await readPath(path)
    expect(messages(first)).toEqual(['good'])
    expect(first.bad).toEqual([])
    expect(first.incomplete).toMatchObject({ line: 2, offset: 15, text: '{"msg":"ha' })
    expect(first.checkpoint).toMatchObject({ offset: 15, line: 1, isLineOpen: false })
    const still = await readOn(path, first)
    expect([still.rows, still.incomplete?.line]).toEqual([[], 2])
    appendFileSync(path, 'lf"}\n')
    const second = await readOn(path, first)
    expect([messages(second), second.bad, second.incomplete]).toEqual([['half'], [], null])
  })

  test('a blank one is nothing yet, and what is written behind it is a line of its own', async () => {
    const folder = new Folder()
    for (const blank of ['\uFEFF', '\r', '  ']) {
      const path = folder.write('a.log', blank)
      const first = await readPath(path, { format: 'plain' })
      expect([first.blocks, first.incomplete]).toEqual([[], null])
      appendFileSync(path, 'one\n')
      expect((await readPath(path)).bad).toEqual([])
    }
  })

  test('half a character at the end is half a line', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', Buffer.concat([Buffer.from('one\ntwo '), Buffer.from([0xc3])]))
    const first = await readPath(path)
    expect([messages(first), first.incomplete?.line]).toEqual([['one'], 2])
    appendFileSync(path, Buffer.from([0xa9, 0x0a]))
    expect(messages(await readOn(path, first))).toEqual(['two é'])
  })

  test('one that was taken and then went on: the rest is bad, under the same number, and nothing else is', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', 'one\ntwo and')
    const first = await readPath(path)
    expect(messages(first)).toEqual(['one', 'two and'])
    appendFileSync(path, ' a half')
    const between = await readOn(path, first)
    expect([between.rows, between.bad, between.incomplete?.line]).toEqual([[], [], 2])
    appendFileSync(path, '\nthree\n')
    const second = await readOn(path, first)
    expect(messages(second)).toEqual(['three'])
    expect(second.bad).toMatchObject([
      { line: 2, offset: 11, text: ' a half', error: expect.stringContaining('rest of a line') },
    ])
    expect(second.checkpoint).toMatchObject({ line: 3, isLineOpen: false })
  })

  test('is always taken, or bad, where nothing can follow', async () => {
    const reading = await readAll(await openChunks([GOOD, '{"msg":"ha']), { format: 'ndjson' })
    expect([messages(reading), reading.bad.map((bad) => bad.line), reading.incomplete]).toEqual([
      ['good'],
      [2],
      null,
    ])
    const folder = new Folder()
    const asked = await readPath(folder.write('a.log', `${GOOD}{"msg":"ha`), { lastLine: 'always' })
    expect([asked.bad.map((bad) => bad.line), asked.checkpoint?.line]).toEqual([[2], 2])
  })

  test('is left, whole or not, where a writer is at work', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', `${GOOD}{"msg":"last"}`)
    const reading = await readPath(path, { lastLine: 'never' })
    expect([messages(reading), reading.incomplete?.line, reading.checkpoint?.line]).toEqual([['good'], 2, 1])
  })
})

describe('time', () => {
  test('lines without one have the file’s, so that a second reading gives the same', async () => {
    const folder = new Folder()
    const reading = await readPath(folder.write('a.log', 'one\n'))
    expect(reading.rows).toMatchObject([{ ts: MODIFIED_MS }])
  })

  test('what a checkpoint has seen counts for the lines behind it', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', '2023-05-01 12:00:00 ERROR boom\n')
    const first = await readPath(path)
    writeFileSync(path, '2023-05-01 12:00:00 ERROR boom\n    at main\n')
    expect((await readOn(path, first)).rows).toMatchObject([
      { ts: Date.UTC(2023, 4, 1, 12), message: '    at main' },
    ])
  })

  test('syslog runs over new year, also when it was stopped just before', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', 'Dec 31 23:59:59 h a: x\n')
    const first = await readPath(path)
    appendFileSync(path, 'Jan  1 00:00:00 h a: y\n')
    const years = [...first.rows, ...(await readOn(path, first)).rows].map((row) => {
      return typeof row === 'object' && row !== null && 'ts' in row
        ? new Date(Number(row.ts)).toISOString()
        : row
    })
    expect(years).toEqual(['2023-12-31T23:59:59.000Z', '2024-01-01T00:00:00.000Z'])
  })
})

describe('format', () => {
  test('is told, with a reason; a checkpoint knows it already', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', GOOD)
    const source = await openPath(path)
    const reader = readEntries(source, { format: 'auto' })
    expect([reader.format, reader.detection?.reason]).toEqual([
      'ndjson',
      '1 of the first 1 lines are JSON objects',
    ])
    const from = await checkpointAfter(path)
    const again = readEntries(source, { format: 'auto', from })
    expect([again.format, again.detection]).toEqual(['ndjson', null])
    expect(again.columns.map((column) => column.name)).toEqual([
      'ts',
      'level',
      'service',
      'message',
      'attributes',
    ])
    await source.close()
  })

  test('cannot change between two runs', async () => {
    const folder = new Folder()
    const path = folder.write('a.log', GOOD)
    const from = await checkpointAfter(path)
    const error = await refusalOf(readPath(path, { format: 'plain', from }))
    expect(error).toMatchObject({ code: 'INPUT_FORMAT', hint: 'leave --format out, or say --format ndjson' })
  })

  test.each([
    ['[{"a":1},\n{"a":2}]', /one JSON array/],
    ['[\n  {\n    "a": 1\n  }\n]', /one JSON array/],
    ['{\n  "a": 1\n}', /JSON over several lines/],
  ])('a JSON document is not read as lines: %j', async (content, message) => {
    const folder = new Folder()
    const error = await refusalOf(readPath(folder.write('a.json', content)))
    expect(error).toMatchObject({ code: 'INPUT_FORMAT', message: expect.stringMatching(message) })
    expect((await readPath(folder.write('a.json', content), { format: 'plain' })).error).toBeUndefined()
  })
})

describe('checkpoints', () => {
  test('come back from JSON as they were', async () => {
    const folder = new Folder()
    for (const path of [folder.write('a.log', GOOD.repeat(1_000)), folder.write('a.csv', 'a,b\n1,2\n')]) {
      const checkpoint = await checkpointAfter(path)
      expect(parseCheckpoint(JSON.parse(JSON.stringify(checkpoint)))).toEqual(checkpoint)
    }
  })

  test('anything else is none', async () => {
    const folder = new Folder()
    const good = await checkpointAfter(folder.write('a.csv', 'a,b\n1,2\n'))
    const spoiled = [
      { version: 2 },
      { key: 1 },
      { offset: -1 },
      { line: 1.5 },
      { isLineOpen: 0 },
      { size: '1' },
      { isGzip: null },
      { head: null },
      { head: { bytes: 1 } },
      { tail: {} },
      { format: 'xml' },
      { lastTs: 'now' },
      { csv: {} },
      { csv: { ...good.csv, header: [1] } },
      { csv: { ...good.csv, types: ['DATE'] } },
      { csv: { ...good.csv, isHeaderRead: 1 } },
    ]
    for (const part of spoiled) expect(parseCheckpoint({ ...good, ...part })).toBeUndefined()
    for (const value of [null, undefined, 1, 'x', [], {}]) expect(parseCheckpoint(value)).toBeUndefined()
  })
})
