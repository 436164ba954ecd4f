/** Stopped anywhere and read on, a file gives what one go gives: no line twice, none missing. */
import * as fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Checkpoint } from './checkpoint.ts'
import type { FormatName } from './formats/columns.ts'
import { Folder, openPath, readAll } from './input.fixture.ts'
import type { Reading } from './input.fixture.ts'
import type { BadLine, ReadOptions } from './reader.ts'

/** In a generated line: a byte that is not UTF-8. */
const BAD_BYTE = '\u0001'
const ANYTHING = ['', '  ', 'nothing of the kind', '{"half', `a${BAD_BYTE}b`, 'x'.repeat(300), 'über €uro 🌊']

const LINES: Readonly<Record<FormatName, readonly string[]>> = {
  ndjson: [
    '{"msg":"a"}',
    '{"msg":"ü","time":1714564800000,"n":1}',
    '{"level":"warn","msg":"x","id":9007199254740993}',
  ],
  logfmt: ['level=info msg="a b"', 'ts=2024-05-01T12:00:00Z msg=€', 'a=1 b="half'],
  access: [
    '::1 - - [10/Oct/2000:13:55:36 -0700] "GET /é HTTP/1.0" 404 12',
    '::1 - - [11/Oct/2000:13:55:36 +0000] "x" 200 1',
  ],
  syslog: [
    'Dec 31 23:59:59 h a[1]: x',
    'Jan  1 00:00:00 h a: ü',
    'Jul  5 00:00:00 h b: y',
    '<34>1 - h a - - - z',
    '<13>x',
  ],
  plain: ['2024-05-01 12:00:00 ERROR boom', '    at main (x.js:1)', '2023/01/01 00:00:00 [warn] ü'],
  csv: ['1,a,2.5', '2,"b, ""c""",3', '3,"two', 'lines",4', '"', 'x"y,1,2', '5,short', '6,ü,1e3', '7,,'],
}

const HEADER = 'id,name,total'
const OPTIONS: Partial<ReadOptions> = {
  maxLineBytes: 200,
  columns: [
    { name: 'id', type: 'INTEGER' },
    { name: 'name', type: 'TEXT' },
    { name: 'total', type: 'REAL' },
  ],
}

function contentOf(format: FormatName, maxLength: number, maxTimes = 1): fc.Arbitrary<Buffer> {
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...LINES[format]) },
    fc.constantFrom(...ANYTHING),
  )
  const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n')), { maxLength })
  const times = fc.integer({ min: 1, max: maxTimes })
  const shape = fc.record({ lines, times, hasMark: fc.boolean(), isTerminated: fc.boolean() })
  return shape.map((drawn) => {
    const text = drawn.lines.flat().join('').repeat(drawn.times)
    const body = drawn.isTerminated ? text : text.replace(/\r?\n$/, '')
    return bytesOf(`${drawn.hasMark ? '\uFEFF' : ''}${format === 'csv' ? `${HEADER}\n` : ''}${body}`)
  })
}

function bytesOf(text: string): Buffer {
  return Buffer.from(Buffer.from(text).map((byte) => (byte === 1 ? 0xff : byte)))
}

interface Outcome {
  readonly rows: readonly unknown[]
  readonly bad: readonly BadLine[]
  readonly incomplete: BadLine | null
  readonly checkpoint: Checkpoint | undefined
}

/** Reads on until there is no more, at most as many blocks a run as `stops` says in turn. */
async function readInPieces(
  path: string,
  format: FormatName,
  stops: readonly number[],
  blockBytes: number,
): Promise<Outcome> {
  const readings: Reading[] = []
  let from: Checkpoint | undefined
  for (let run = 0; ; run++) {
    const source = await openPath(path, blockBytes)
    if (from !== undefined) expect(await source.matches(from)).toEqual({ kind: 'goes-on' })
    const options = from === undefined ? OPTIONS : { ...OPTIONS, from }
    const reading = await readAll(source, { format, ...options }, stops[run % stops.length])
    readings.push(reading)
    if (reading.blocks.length === 0) break
    from = reading.checkpoint
  }
  return outcomeOf(readings)
}

function outcomeOf(readings: readonly Reading[]): Outcome {
  return {
    rows: readings.flatMap((reading) => reading.rows),
    bad: readings.flatMap((reading) => reading.bad),
    incomplete: readings.at(-1)?.incomplete ?? null,
    checkpoint: readings.findLast((reading) => reading.checkpoint !== undefined)?.checkpoint,
  }
}

const FORMATS = ['ndjson', 'logfmt', 'access', 'syslog', 'plain', 'csv'] as const
const STOPS = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 })

describe.each(FORMATS)('%s', (format) => {
  test('stopped behind any block, in blocks of any size', async () => {
    const folder = new Folder()
    const run = fc.asyncProperty(
      contentOf(format, 40),
      STOPS,
      fc.integer({ min: 1, max: 700 }),
      async (content, stops, size) => {
        const path = folder.write('a.log', content)
        const whole = outcomeOf([await readAll(await openPath(path), { ...OPTIONS, format })])
        expect(await readInPieces(path, format, stops, size)).toEqual(whole)
      },
    )
    await fc.assert(run, { numRuns: 30 })
  })

  test('packed, in any number of members', async () => {
    const folder = new Folder()
    const cuts = fc.array(fc.nat(), { maxLength: 4 })
    const run = fc.asyncProperty(contentOf(format, 40, 60), cuts, STOPS, async (content, places, stops) => {
      const plain = await readAll(await openPath(folder.write('a.log', content)), { ...OPTIONS, format })
      const path = folder.write(
        'a.gz',
        Buffer.concat(cutAt(content, places).map((member) => gzipSync(member))),
      )
      const packed = await readInPieces(path, format, stops, 100)
      expect([packed.rows, packed.bad, packed.incomplete]).toEqual([plain.rows, plain.bad, plain.incomplete])
      expect(packed.checkpoint?.offset).toBe(plain.checkpoint?.offset)
    })
    await fc.assert(run, { numRuns: 15 })
  })

  test('read while it grows, byte by byte if need be, leaving the line that is being written', async () => {
    const folder = new Folder()
    const cuts = fc.array(fc.nat(), { maxLength: 6 })
    const run = fc.asyncProperty(contentOf(format, 20), cuts, async (content, places) => {
      const whole = await readAll(await openPath(folder.write('a.log', content)), {
        ...OPTIONS,
        format,
        lastLine: 'never',
      })
      const grown = await readGrowing(folder, format, cutAt(content, places), 'never')
      expect([grown.rows, grown.bad, grown.incomplete]).toEqual([whole.rows, whole.bad, whole.incomplete])
    })
    await fc.assert(run, { numRuns: 30 })
  })
})

test('ndjson, read while it grows, needs no such care: no half line can be taken for a whole one', async () => {
  const folder = new Folder()
  const cuts = fc.array(fc.nat(), { maxLength: 6 })
  const run = fc.asyncProperty(contentOf('ndjson', 20), cuts, async (content, places) => {
    const whole = await readAll(await openPath(folder.write('a.log', content)), {
      ...OPTIONS,
      format: 'ndjson',
    })
    const grown = await readGrowing(folder, 'ndjson', cutAt(content, places), 'ifWhole')
    expect([grown.rows, grown.bad, grown.incomplete]).toEqual([whole.rows, whole.bad, whole.incomplete])
  })
  await fc.assert(run, { numRuns: 100 })
})

async function readGrowing(
  folder: Folder,
  format: FormatName,
  parts: readonly Buffer[],
  lastLine: 'never' | 'ifWhole',
): Promise<Outcome> {
  const readings: Reading[] = []
  let from: Checkpoint | undefined
  // A CSV file is there once its header is.
  for (let count = 1; count <= parts.length; count++) {
    const content = Buffer.concat(parts.slice(0, count))
    if (format === 'csv' && !content.includes(`${HEADER}\n`)) continue
    const source = await openPath(folder.write('grown.log', content))
    if (from !== undefined) expect(await source.matches(from)).toEqual({ kind: 'goes-on' })
    const reading = await readAll(source, { ...OPTIONS, format, lastLine, ...(from && { from }) })
    readings.push(reading)
    from = reading.checkpoint ?? from
  }
  return outcomeOf(readings)
}

function cutAt(content: Buffer, places: readonly number[]): Buffer[] {
  const at = places.map((place) => place % (content.length + 1)).toSorted((a, b) => a - b)
  return [0, ...at].map((start, index) => content.subarray(start, at[index] ?? content.length))
}
