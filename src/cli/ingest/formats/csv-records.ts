/**
 * Puts the lines of a CSV file together to records: a quoted field may hold line ends.
 *
 * A record that cannot be right (text behind a closing quote, a quote that is not closed within the limit)
 * costs its first line only: reading goes on with the next line as if a record began there.
 */
import { parse } from 'csv-parse/sync'

export interface CsvLine {
  readonly text: string
  readonly line: number
  readonly offset: number
  /** The offset behind its line end. */
  readonly end: number
  /** Why the line is not text, if it is not. */
  readonly error: string | undefined
}

/** One record, or a line that is none. `fields` are read by `readFields`. */
export interface CsvRecord {
  readonly text: string
  readonly line: number
  readonly offset: number
  readonly hasQuotes: boolean
  readonly error: string | undefined
}

const CLOSED = 'closed'
const OPEN = 'open'
type Scan = typeof CLOSED | typeof OPEN | { readonly error: string }

export class CsvRecords {
  readonly #delimiter: string
  readonly #maxRecordBytes: number
  /** The lines so far of a record whose quote is open. */
  #open: CsvLine[] = []
  /** What was found since the last `take`. */
  #records: CsvRecord[] = []
  #offset: number
  #line: number

  constructor(delimiter: string, maxRecordBytes: number, from: { offset: number; line: number }) {
    this.#delimiter = delimiter
    this.#maxRecordBytes = maxRecordBytes
    this.#offset = from.offset
    this.#line = from.line
  }

  /** Where the next record begins: all before it has been taken. */
  get position(): { offset: number; line: number } {
    return { offset: this.#offset, line: this.#line }
  }

  /** The first line of a record that is not complete. */
  get open(): CsvLine | undefined {
    return this.#open[0]
  }

  take(): CsvRecord[] {
    const records = this.#records
    this.#records = []
    return records
  }

  add(next: CsvLine): void {
    const waiting = [next]
    for (let line = waiting.pop(); line !== undefined; line = waiting.pop()) {
      const retry = this.#addOne(line)
      for (let index = retry.length - 1; index >= 0; index--) {
        const again = retry[index]
        if (again !== undefined) waiting.push(again)
      }
    }
  }

  /** There is no more: what is open is no record. */
  finish(): void {
    while (this.#open.length > 0) {
      for (const line of this.#giveUp('a quote opened here is never closed')) this.add(line)
    }
  }

  /** Takes one line; returns the lines to be read again since they turned out not to belong to a record. */
  #addOne(line: CsvLine): readonly CsvLine[] {
    const first = this.#open[0]
    if (first === undefined) {
      if (line.text === '' && line.error === undefined) this.#passed(line)
      else if (line.error !== undefined || !line.text.includes('"'))
        this.#found(line, line, false, line.error)
      else {
        const scan = scanQuotes(line.text, false, this.#delimiter)
        if (scan === OPEN) this.#open.push(line)
        else this.#found(line, line, true, scan === CLOSED ? undefined : scan.error)
      }
      return []
    }
    this.#open.push(line)
    if (line.error !== undefined)
      return this.#giveUp(`line ${line.line} of this record is bad: ${line.error}`)
    const scan = scanQuotes(line.text, true, this.#delimiter)
    if (scan === CLOSED) {
      const text = this.#open.map((part) => part.text).join('\n')
      this.#open = []
      this.#found({ ...first, text }, line, true, undefined)
      return []
    }
    if (scan !== OPEN)
      return this.#giveUp(`a quote opened here ends badly on line ${line.line}: ${scan.error}`)
    const isTooLong = line.end - first.offset > this.#maxRecordBytes
    return isTooLong
      ? this.#giveUp(`a quote opened here is not closed within ${this.#maxRecordBytes} bytes`)
      : []
  }

  #giveUp(error: string): readonly CsvLine[] {
    const [first, ...rest] = this.#open
    this.#open = []
    if (first !== undefined) this.#found(first, first, false, error)
    return rest
  }

  #found(first: CsvLine, last: CsvLine, hasQuotes: boolean, error: string | undefined): void {
    this.#records.push({ text: first.text, line: first.line, offset: first.offset, hasQuotes, error })
    this.#passed(last)
  }

  #passed(line: CsvLine): void {
    this.#offset = line.end
    this.#line = line.line
  }
}

/** Follows the quotes of one line: whether the record ends with it, goes on, or cannot be right. */
function scanQuotes(text: string, isInQuotes: boolean, delimiter: string): Scan {
  let isQuoted = isInQuotes
  let at = 0
  for (;;) {
    if (isQuoted) {
      const close = text.indexOf('"', at)
      if (close < 0) return OPEN
      at = close + 1
      if (text.startsWith('"', at)) {
        at++
        continue
      }
      isQuoted = false
      if (at === text.length) return CLOSED
      if (!text.startsWith(delimiter, at))
        return { error: `text behind the closing quote at column ${close + 1}` }
      at++
    }
    if (text.startsWith('"', at)) {
      isQuoted = true
      at++
      continue
    }
    const next = text.indexOf(delimiter, at)
    const field = next < 0 ? text.slice(at) : text.slice(at, next)
    if (field.includes('"')) return { error: `a quote inside an unquoted field at column ${at + 1}` }
    if (next < 0) return CLOSED
    at = next + 1
  }
}

/** The fields of each record; a text says why a record has none. */
export function readFields(records: readonly CsvRecord[], delimiter: string): (string[] | string)[] {
  const quoted = records.filter((record) => record.hasQuotes && record.error === undefined)
  const parsed = parseTogether(quoted, delimiter)
  let next = 0
  return records.map((record) => {
    if (record.error !== undefined) return record.error
    // Without quotes there is nothing to parse, and this is many times as fast.
    if (!record.hasQuotes) return record.text.split(delimiter)
    return parsed[next++] ?? 'not a CSV record'
  })
}

/** One call for all, since each has a price; one by one only if they do not come out as expected. */
function parseTogether(records: readonly CsvRecord[], delimiter: string): (string[] | string)[] {
  if (records.length === 0) return []
  const all = parseText(records.map((record) => record.text).join('\n'), delimiter)
  if (typeof all !== 'string' && all.length === records.length) return all
  return records.map((record) => {
    const one = parseText(record.text, delimiter)
    if (typeof one === 'string') return one
    return (one.length === 1 ? one[0] : undefined) ?? 'not one CSV record'
  })
}

function parseText(text: string, delimiter: string): string[][] | string {
  try {
    return parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
