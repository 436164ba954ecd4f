import { badLine, checkpointOf } from './entries.ts'
import type { BadLine, EntryBlock, ReadPlan } from './entries.ts'
import { columnNames, rowOf } from './formats/csv-columns.ts'
import type { CsvState } from './formats/csv-columns.ts'
import { planCsv } from './formats/csv-plan.ts'
import { CsvRecords, readFields } from './formats/csv-records.ts'
import type { CsvRecord } from './formats/csv-records.ts'
import type { Column, Row } from './formats/columns.ts'
import { InputError } from './input-error.ts'
import { lineBlocks } from './line-blocks.ts'
import { lineAt, sampleLines } from './sample.ts'

/** Records in a block at most. A quote that is never closed can set free many at once. */
const MAX_RECORDS = 1_000

export interface PreparedCsv {
  readonly columns: readonly Column[]
  readonly state: CsvState
}

/**
 * Finds the columns of a CSV file.
 *
 * @param table the columns of the table that the rows go to, if it exists.
 * @throws InputError `CSV_HEADER_INVALID`, or `CSV_HEADER_CHANGED` when the header is not the one of the run
 *   before, or not the table's.
 */
export function prepareCsv(plan: ReadPlan, table: readonly Column[] | undefined): PreparedCsv {
  const { source, from } = plan
  const lines = sampleLines(source, plan)
  const found = planCsv(lines, source.name, plan.maxLineBytes)
  if (found === undefined) throw noHeaderError(source.name, 'it has no line that could be one')
  const state = from?.csv ?? { ...found, isHeaderRead: false }
  if (!isSameList(found.header, state.header)) {
    throw changedError(source.name, 'the run before', state.header, found.header)
  }
  const names = columnNames(found.header, source.name)
  const columns = table === undefined ? typed(names, state) : matched(source.name, names, table)
  const types = columns.map((column) => column.type)
  const { delimiter, header, isHeaderRead } = state
  return { columns, state: { delimiter, header, types, isHeaderRead } }
}

function typed(names: readonly string[], state: Pick<CsvState, 'types'>): Column[] {
  return names.map((name, index) => ({ name, type: state.types[index] ?? 'TEXT' }))
}

/** The table's columns in the order of the header. SQL names do not tell capitals apart. */
function matched(source: string, names: readonly string[], table: readonly Column[]): Column[] {
  const byName = new Map(table.map((column) => [column.name.toLowerCase(), column]))
  const columns = names.flatMap((name) => byName.get(name.toLowerCase()) ?? [])
  if (columns.length === names.length && names.length === table.length) return columns
  const tableNames = table.map((column) => column.name)
  throw changedError(source, 'the table', tableNames, names)
}

/** The rows of a CSV file. Lines are counted as they stand in the file, also within a quoted field. */
export async function* readCsv(
  plan: ReadPlan,
  csv: PreparedCsv,
): AsyncGenerator<EntryBlock, void, undefined> {
  const { source, from, lastLine } = plan
  const start = { offset: from?.offset ?? 0, line: from?.line ?? 0 }
  const records = new CsvRecords(csv.state.delimiter, plan.maxLineBytes, start)
  const cutter = new BlockCutter(plan, csv, start)
  for await (const block of lineBlocks(source, from, plan)) {
    const open = records.open
    if (!block.isTerminated && lastLine === 'never') {
      return plan.leave(badLine(open ?? lineAt(block, 0), 'the record has no line end yet'))
    }
    for (let index = 0; index < block.lines.length; index++) records.add(lineAt(block, index))
    if (block.isTerminated) {
      yield* cutter.cut(records.take(), records.position, false)
      continue
    }
    if (lastLine === 'always') records.finish()
    const last = [...cutter.cut(records.take(), records.position, true)]
    const bad = last.flatMap((part) => part.bad)[0] ?? unclosed(records)
    const isWhole = bad === undefined && last.some((part) => part.rows.length > 0)
    if (lastLine === 'ifWhole' && !isWhole) {
      const line = lineAt(block, 0)
      // Blank so far is left as well, but it is nothing to report.
      if (line.text !== '') plan.leave(bad ?? badLine(line, 'the header has no line end yet'))
      return
    }
    yield* last
  }
  const unfinished = unclosed(records)
  if (unfinished === undefined || source.isClosed) return
  if (lastLine !== 'always') return plan.leave(unfinished)
  records.finish()
  yield* cutter.cut(records.take(), records.position, false)
}

function unclosed(records: CsvRecords): BadLine | undefined {
  return records.open === undefined
    ? undefined
    : badLine(records.open, 'a quote opened here is not closed yet')
}

/** Makes blocks of records, each with its own checkpoint. */
class BlockCutter {
  readonly #plan: ReadPlan
  readonly #csv: PreparedCsv
  #isHeaderRead: boolean
  #at: { offset: number; line: number }

  constructor(plan: ReadPlan, csv: PreparedCsv, start: { offset: number; line: number }) {
    this.#plan = plan
    this.#csv = csv
    this.#isHeaderRead = csv.state.isHeaderRead
    this.#at = start
  }

  /** @param end where the records end, blank lines behind them included. */
  *cut(
    records: readonly CsvRecord[],
    end: { offset: number; line: number },
    isLineOpen: boolean,
  ): Generator<EntryBlock, void, undefined> {
    for (let from = 0; from < records.length; from += MAX_RECORDS) {
      const next = records[from + MAX_RECORDS]
      const until = next === undefined ? end : { offset: next.offset, line: next.line - 1 }
      yield this.#block(records.slice(from, from + MAX_RECORDS), until, next === undefined && isLineOpen)
    }
    if (records.length === 0 && end.offset > this.#at.offset) yield this.#block([], end, isLineOpen)
  }

  #block(
    records: readonly CsvRecord[],
    end: { offset: number; line: number },
    isLineOpen: boolean,
  ): EntryBlock {
    const rows: Row[] = []
    const bad: BadLine[] = []
    const { columns, state } = this.#csv
    for (const [index, fields] of readFields(records, state.delimiter).entries()) {
      const record = records[index]
      if (record === undefined) continue
      if (!this.#isHeaderRead) {
        this.#isHeaderRead = true
        continue
      }
      const row = typeof fields === 'string' ? fields : rowOf(fields, columns)
      if (typeof row === 'string') bad.push(badLine({ ...record, end: end.offset }, row))
      else rows.push(row)
    }
    const csv = { ...state, isHeaderRead: this.#isHeaderRead }
    const progress = { ...end, isLineOpen, format: 'csv', lastTs: Number.NaN, csv } as const
    const checkpoint = checkpointOf(this.#plan.source, progress)
    const [lines, bytes] = [end.line - this.#at.line, end.offset - this.#at.offset]
    this.#at = end
    return { rows, bad, checkpoint, lines, bytes }
  }
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}

function noHeaderError(name: string, why: string): InputError {
  return new InputError(
    'CSV_HEADER_INVALID',
    `${name} has no header row: ${why}`,
    'the first row must name the columns; if it is a log, say --format plain',
  )
}

function changedError(
  name: string,
  than: string,
  expected: readonly string[],
  actual: readonly string[],
): InputError {
  return new InputError(
    'CSV_HEADER_CHANGED',
    `the header of ${name} differs from ${than}: it was (${expected.join(', ')}), now it is (${actual.join(', ')})`,
    'ingest it into another table with --table, or give the file its old columns back',
  )
}
