/**
 * Cuts a stream of bytes into lines of text.
 *
 * Hot: newlines are searched in the bytes, text is decoded once for up to a thousand lines. However the
 * bytes are chunked, the same bytes give the same lines at the same offsets. Bounded: a line longer than
 * the limit is never held, only its first bytes and its length are.
 */
import { isAscii, isUtf8 } from 'node:buffer'

export type Encoding = 'utf8' | 'latin1'

export interface LineBlock {
  /**
   * The lines without their line ends (LF or CRLF). Where `broken` has an entry: the beginning of the line.
   */
  readonly lines: readonly string[]
  /** The offset behind each line and its line end. */
  readonly ends: readonly number[]
  /** The offset of the first line. */
  readonly start: number
  /** The number of the first line, from 1. */
  readonly firstLine: number
  /** The lines that are not text, by index, and why. */
  readonly broken: ReadonlyMap<number, string> | undefined
  /** False if the input ended before the last line's line end. */
  readonly isTerminated: boolean
}

export interface LineOptions {
  readonly encoding: Encoding
  readonly maxLineBytes: number
}

/** Where to go on: the offset of the next line, and how many lines are before it. */
export interface LinePosition {
  readonly offset: number
  readonly line: number
}

/** Lines in a block at most, and so rows in a transaction. */
const MAX_LINES = 1_000
/** What is kept of a line that is not text. */
export const MAX_EXCERPT_BYTES = 4_096

const NEWLINE = 10
const RETURN = 13
const BYTE_ORDER_MARK = '\uFEFF'
const BYTE_ORDER_MARK_LATIN1 = 'ï»¿'

export class LineSplitter {
  readonly #options: LineOptions
  #offset: number
  #line: number
  /**
   * The line whose end has not come yet: all of it, or only its beginning once it is longer than the limit.
   */
  #carried: Buffer[] = []
  /** How long that line is so far. */
  #carriedBytes = 0

  constructor(from: LinePosition, options: LineOptions) {
    this.#offset = from.offset
    this.#line = from.line
    this.#options = options
  }

  /** The lines that end in `chunk`. Its memory may be reused once the generator is done. */
  *push(chunk: Buffer): Generator<LineBlock, void, undefined> {
    let data = chunk
    if (this.#carriedBytes > 0) {
      const newline = chunk.indexOf(NEWLINE)
      if (newline < 0) return this.#carry(chunk)
      if (this.#carriedBytes + newline > this.#options.maxLineBytes) {
        this.#carry(chunk.subarray(0, newline))
        yield this.#takeOverlong(true)
        data = chunk.subarray(newline + 1)
      } else {
        data = Buffer.concat([...this.#carried, chunk], this.#carriedBytes + chunk.length)
        this.#dropCarried()
      }
    }
    const rest = yield* this.#wholeLines(data)
    if (rest.length > 0) this.#carry(rest)
  }

  /** What is left when the input ends: at most one line, without a line end. */
  *end(): Generator<LineBlock, void, undefined> {
    if (this.#carriedBytes === 0) return
    if (this.#carriedBytes > this.#options.maxLineBytes) yield this.#takeOverlong(false)
    else yield this.#block(Buffer.concat(this.#carried), [this.#carriedBytes], false)
    this.#dropCarried()
  }

  /** Gives the whole lines of `data`; returns the bytes behind the last newline. */
  *#wholeLines(data: Buffer): Generator<LineBlock, Buffer, undefined> {
    const maxLineBytes = this.#options.maxLineBytes
    let start = 0
    let lineStart = 0
    let ends: number[] = []
    for (;;) {
      const newline = data.indexOf(NEWLINE, lineStart)
      const isOverlong = newline - lineStart > maxLineBytes
      if (ends.length > 0 && (newline < 0 || isOverlong || ends.length === MAX_LINES)) {
        yield this.#block(data.subarray(start, lineStart), ends, true)
        start = lineStart
        ends = []
      }
      if (newline < 0) return data.subarray(lineStart)
      if (isOverlong) {
        this.#carry(data.subarray(lineStart, newline))
        yield this.#takeOverlong(true)
        start = newline + 1
      } else {
        ends.push(newline + 1 - start)
      }
      lineStart = newline + 1
    }
  }

  #carry(bytes: Buffer): void {
    const wasOverlong = this.#carriedBytes > this.#options.maxLineBytes
    this.#carriedBytes += bytes.length
    if (this.#carriedBytes <= this.#options.maxLineBytes) {
      // A copy, since whoever gave the bytes will read the next ones into the same memory.
      this.#carried.push(Buffer.from(bytes))
    } else if (!wasOverlong || (this.#carried[0]?.length ?? 0) < MAX_EXCERPT_BYTES) {
      const beginning = Buffer.concat([...this.#carried, bytes.subarray(0, MAX_EXCERPT_BYTES)])
      this.#carried = [Buffer.from(beginning.subarray(0, MAX_EXCERPT_BYTES))]
    }
  }

  #dropCarried(): void {
    this.#carried = []
    this.#carriedBytes = 0
  }

  /** The block for the one over-long line that was carried. */
  #takeOverlong(isTerminated: boolean): LineBlock {
    const length = this.#carriedBytes
    const reason = `a line of ${length} bytes; at most ${this.#options.maxLineBytes} are read`
    const lines = [excerptOf(Buffer.concat(this.#carried))]
    this.#dropCarried()
    return this.#numbered(lines, [isTerminated ? length + 1 : length], new Map([[0, reason]]), isTerminated)
  }

  /** Decodes the lines of `data`, which ends at the last of `ends`. */
  #block(data: Buffer, ends: number[], isTerminated: boolean): LineBlock {
    const broken = new Map<number, string>()
    const text = isTerminated ? data.subarray(0, -1) : data
    const hasNul = data.includes(0)
    const isText = this.#options.encoding === 'latin1' || isAscii(text) || isUtf8(text)
    const lines = isText ? this.#decode(text).split('\n') : this.#decodeEach(data, ends, isTerminated, broken)
    if (this.#offset === 0 && lines[0] !== undefined) lines[0] = withoutMark(lines[0])
    if (data.includes(RETURN)) {
      for (const [index, line] of lines.entries()) if (line.endsWith('\r')) lines[index] = line.slice(0, -1)
    }
    if (hasNul) {
      for (const [index, line] of lines.entries()) {
        if (line.includes('\0')) broken.set(index, 'holds NUL bytes, as a crash leaves them in a log')
      }
    }
    return this.#numbered(lines, ends, broken.size === 0 ? undefined : broken, isTerminated)
  }

  #decode(text: Buffer): string {
    // One byte a character where that is what the text is: half the memory, and several times as fast.
    return this.#options.encoding === 'latin1' || isAscii(text)
      ? text.toString('latin1')
      : text.toString('utf8')
  }

  /** Decodes line by line, where one of them is not UTF-8, so that its neighbours stay good. */
  #decodeEach(
    data: Buffer,
    ends: readonly number[],
    isTerminated: boolean,
    broken: Map<number, string>,
  ): string[] {
    let start = 0
    return ends.map((end, index) => {
      const line = data.subarray(start, isTerminated ? end - 1 : end)
      start = end
      if (isUtf8(line)) return line.toString('utf8')
      broken.set(
        index,
        'not UTF-8; if the file is Latin-1: iconv -f LATIN1 -t UTF-8 FILE | tidemark ingest -',
      )
      return excerptOf(line)
    })
  }

  /** Puts a block at its place in the input. `ends` come relative to the block. */
  #numbered(
    lines: string[],
    ends: number[],
    broken: ReadonlyMap<number, string> | undefined,
    isTerminated: boolean,
  ): LineBlock {
    const start = this.#offset
    const firstLine = this.#line + 1
    for (let index = 0; index < ends.length; index++) ends[index] = start + (ends[index] ?? 0)
    this.#offset = ends.at(-1) ?? start
    this.#line += lines.length
    return { lines, ends, start, firstLine, broken, isTerminated }
  }
}

function withoutMark(line: string): string {
  if (line.startsWith(BYTE_ORDER_MARK)) return line.slice(1)
  return line.startsWith(BYTE_ORDER_MARK_LATIN1) ? line.slice(3) : line
}

/** The beginning of bytes that may be cut anywhere, as well as it can be shown. */
function excerptOf(bytes: Buffer): string {
  return bytes.subarray(0, MAX_EXCERPT_BYTES).toString('utf8')
}
