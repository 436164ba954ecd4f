import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineSplitter } from './lines.ts'
import type { LineBlock, LineOptions } from './lines.ts'
import { lineAt } from '../cli/ingest/sample.ts'

const DEFAULTS: LineOptions = { encoding: 'utf8', maxLineBytes: 1_048_576 }

interface Line {
  readonly text: string
  readonly line: number
  readonly offset: number
  readonly end: number
  readonly error: string | undefined
}

function blocksOf(chunks: readonly Buffer[], options: Partial<LineOptions> = {}): LineBlock[] {
  const splitter = new LineSplitter({ offset: 0, line: 0 }, { ...DEFAULTS, ...options })
  const blocks: LineBlock[] = []
  for (const chunk of chunks) {
    // As a file does it: the memory is used again once the generator is done.
    const memory = Buffer.from(chunk)
    blocks.push(...splitter.push(memory))
    memory.fill(0x58)
  }
  return [...blocks, ...splitter.end()]
}

function linesOf(chunks: readonly Buffer[], options: Partial<LineOptions> = {}): Line[] {
  return blocksOf(chunks, options).flatMap((block) => block.lines.map((_, index) => lineAt(block, index)))
}

function texts(input: string | Buffer, options: Partial<LineOptions> = {}): string[] {
  return linesOf([Buffer.from(input)], options).map((line) => line.text)
}

describe('line ends', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['\n\n', ['', '']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['a\rb\n', ['a\rb']],
    ['a\r', ['a']],
    ['\uFEFFa\nb\n', ['a', 'b']],
    ['a\n\uFEFFb\n', ['a', '\uFEFFb']],
    ['ü€🌊\n', ['ü€🌊']],
  ])('%j', (input, expected) => {
    expect(texts(input)).toEqual(expected)
  })

  test('offsets count bytes, the byte order mark and carriage returns included', () => {
    const lines = linesOf([Buffer.from('\uFEFFä\r\nb\n')])
    expect(lines.map(({ line, offset, end }) => [line, offset, end])).toEqual([
      [1, 0, 7],
      [2, 7, 9],
    ])
  })

  test('a last line without a line end says so', () => {
    expect(blocksOf([Buffer.from('a\nb')]).map((block) => block.isTerminated)).toEqual([true, false])
  })

  test('a block holds a thousand lines at most', () => {
    const blocks = blocksOf([Buffer.from('x\n'.repeat(2_500))])
    expect(blocks.map((block) => block.lines.length)).toEqual([1_000, 1_000, 500])
    expect(blocks.map((block) => [block.firstLine, block.start])).toEqual([
      [1, 0],
      [1_001, 2_000],
      [2_001, 4_000],
    ])
  })
})

describe('bytes that are no text', () => {
  test('invalid UTF-8 makes its own line bad, not its neighbours', () => {
    const input = Buffer.concat([
      Buffer.from('gut\n'),
      Buffer.from([0x66, 0xfc, 0x72, 0x0a]),
      Buffer.from('für\n'),
    ])
    const lines = linesOf([input])
    expect(lines.map((line) => line.error)).toEqual([
      undefined,
      expect.stringMatching(/^not UTF-8/),
      undefined,
    ])
    expect(lines.map((line) => line.text)).toEqual(['gut', 'f\uFFFDr', 'für'])
  })

  test('as Latin-1 every byte is a character', () => {
    const lines = linesOf([Buffer.from([0xef, 0xbb, 0xbf, 0x66, 0xfc, 0x72, 0x0a])], { encoding: 'latin1' })
    expect(lines).toMatchObject([{ text: 'für', error: undefined }])
  })

  test('a line with NUL bytes is bad, its neighbours are good', () => {
    const lines = linesOf([Buffer.from('a\n\0\0\0b\nc\n')])
    expect(lines.map((line) => line.error)).toEqual([
      undefined,
      expect.stringMatching(/^holds NUL bytes/),
      undefined,
    ])
  })
})

describe('lines over the limit', () => {
  test('are bad, with their length and their beginning', () => {
    const long = `${'é'.repeat(3_000)}!`
    const lines = linesOf([Buffer.from(`a\n${long}\nb`)], { maxLineBytes: 6_000 })
    expect(lines.map((line) => line.text)).toEqual(['a', 'é'.repeat(2_048), 'b'])
    expect(lines[1]).toMatchObject({ line: 2, offset: 2, end: 6_004 })
    expect(lines[1]?.error).toBe('a line of 6001 bytes; at most 6000 are read')
  })

  test('a line of exactly the limit is good', () => {
    expect(linesOf([Buffer.from(`${'x'.repeat(100)}\n`)], { maxLineBytes: 100 })[0]?.error).toBeUndefined()
    expect(linesOf([Buffer.from(`${'x'.repeat(101)}\n`)], { maxLineBytes: 100 })[0]?.error).toBeDefined()
  })

  test('a line of 50 MB is passed over without being held', () => {
    const splitter = new LineSplitter({ offset: 0, line: 0 }, DEFAULTS)
    const chunk = Buffer.alloc(262_144, 'x')
    const before = process.memoryUsage()
    let most = 0
    const lines: LineBlock[] = []
    for (let count = 0; count < 200; count++) {
      lines.push(...splitter.push(chunk))
      const now = process.memoryUsage()
      most = Math.max(most, now.arrayBuffers - before.arrayBuffers)
    }
    lines.push(...splitter.push(Buffer.from('\nnext\n')))
    expect(lines.map((block) => block.lines.map((line) => line.length))).toEqual([[4_096], [4]])
    expect(lines[0]?.broken?.get(0)).toBe('a line of 52428800 bytes; at most 1048576 are read')
    expect(lines[1]).toMatchObject({ firstLine: 2, start: 52_428_801 })
    // The limit itself, twice over while it is being put together, and some slack.
    expect(most).toBeLessThan(4 * 1_048_576)
  })
})

describe('any cut', () => {
  const piece = fc.constantFrom(
    ...['a', 'ü', '€', '🌊', '\n', '\r\n', '\r', '\0', '\uFEFF', 'xxxxxxxx'].map((text) => Buffer.from(text)),
    Buffer.from([0xff]),
    Buffer.from([0xc3]),
  )
  const input = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.concat(pieces))
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })

  test('of the bytes gives the same lines at the same offsets', () => {
    const limits = fc.record({
      encoding: fc.constantFrom('utf8', 'latin1'),
      maxLineBytes: fc.integer({ min: 1, max: 30 }),
    })
    fc.assert(
      fc.property(input, sizes, limits, (bytes, cuts, options) => {
        const whole = linesOf([bytes], options)
        expect(linesOf(cut(bytes, cuts), options)).toEqual(whole)
        expect(whole.at(-1)?.end ?? 0).toBe(bytes.length)
      }),
      { numRuns: 1_000 },
    )
  })

  test('keeps every byte: good lines and their ends are what the input holds there', () => {
    fc.assert(
      fc.property(input, sizes, (bytes, cuts) => {
        let at = 0
        for (const line of linesOf(cut(bytes, cuts))) {
          expect(line.offset).toBe(at)
          at = line.end
          if (line.error !== undefined) continue
          const original = bytes.toString('utf8', line.offset, line.end).replace(/\r?\n$|\r$/, '')
          expect(line.text).toBe(line.offset === 0 ? original.replace(/^\uFEFF/, '') : original)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}
