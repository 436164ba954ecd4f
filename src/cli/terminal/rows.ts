/** Rows as text: lines one by one as they come, or a table when all are there. */
import Table from 'cli-table3'
import { Option } from 'commander'
import { jsonOf } from '../../row-json.ts'

const ROW_FORMATS = ['table', 'ndjson', 'csv'] as const
export type RowFormat = (typeof ROW_FORMATS)[number]

export function rowFormat(): Option {
  return new Option('--format <name>', 'how rows are printed').choices(ROW_FORMATS).default('table')
}

type Row = readonly unknown[]
/** As they come: a server gives them a page at a time. */
export type Rows = Iterable<Row> | AsyncIterable<Row>

/** A table is held in memory to size its columns: beyond this it says so and stops. */
const maxTableRows = 1_000
/** Beyond this a cell would push its neighbours off any screen. */
const maxCellLength = 200
/** Narrower says nothing. */
const minCellLength = 6

/**
 * @param columns the names of the columns, in the order of the values of a row; two may have the same name
 * @param width of the terminal that a table must fit
 */
export function textOfRows(
  columns: readonly string[],
  rows: Rows,
  format: RowFormat,
  width: number = Number.POSITIVE_INFINITY,
): AsyncIterable<string> {
  switch (format) {
    case 'table':
      return tableOf(columns, rows, width)
    case 'ndjson':
      return ndjsonOf(columns, rows)
    case 'csv':
      return csvOf(columns, rows)
  }
}

async function* ndjsonOf(columns: readonly string[], rows: Rows): AsyncGenerator<string> {
  const keys = distinct(columns).map((name) => `${JSON.stringify(name)}:`)
  for await (const row of rows) yield `{${keys.map((key, index) => key + json(row[index])).join(',')}}\n`
}

/** An object has each key once: the second `id` of a join becomes `id_2`. */
function distinct(columns: readonly string[]): string[] {
  const taken = new Set<string>()
  return columns.map((base) => {
    let name = base
    for (let copy = 2; taken.has(name); copy++) name = `${base}_${copy}`
    taken.add(name)
    return name
  })
}

/** What JSON has no word for becomes a text: integers beyond 2^53, infinities, and blobs as base64. */
function json(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (typeof value === 'bigint') return `"${value}"`
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  return JSON.stringify(typeof value === 'object' ? jsonOf(value) : value)
}

async function* csvOf(columns: readonly string[], rows: Rows): AsyncGenerator<string> {
  yield `${columns.map(csvField).join(',')}\n`
  for await (const row of rows) yield `${row.map(csvField).join(',')}\n`
}

function csvField(value: unknown): string {
  const field = value === null || value === undefined ? '' : text(value)
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

async function* tableOf(columns: readonly string[], rows: Rows, width: number): AsyncGenerator<string> {
  const head = columns.map(cell)
  const body: string[][] = []
  let isCut = false
  for await (const row of rows) {
    if (body.length === maxTableRows) {
      isCut = true
      break
    }
    body.push(row.map(cell))
  }
  const natural = head.map((name, index) =>
    Math.max(name.length, ...body.map((row) => row[index]?.length ?? 0)),
  )
  const widths = fitted(natural, width)
  const table = new Table({
    head,
    // Only where something is cut: else the table measures itself, and knows of wide characters. Blanks count.
    colWidths: widths.map((each, index) => (each < (natural[index] ?? 0) ? each + 2 : null)),
    style: { head: [], border: [], compact: true },
  })
  table.push(...body)
  yield `${table.toString()}\n`
  const isShortened = widths.some((each, index) => each < (natural[index] ?? 0))
  yield `${isCut ? 'first ' : ''}${body.length} ${body.length === 1 ? 'row' : 'rows'}`
  if (isCut) yield '; --format ndjson prints all'
  else if (isShortened) yield '; --format ndjson prints long values whole'
  yield '\n'
}

/** Takes from the widest columns until a row fits the terminal. */
function fitted(natural: readonly number[], width: number): number[] {
  const widths = natural.map((each) => Math.min(each, maxCellLength))
  const frame = 3 * widths.length + 1
  let excess = widths.reduce((sum, each) => sum + each, frame) - width
  for (; excess > 0; excess--) {
    const widest = Math.max(...widths)
    if (widest <= minCellLength) break
    widths[widths.indexOf(widest)] = widest - 1
  }
  return widths
}

function cell(value: unknown): string {
  return printable(value === null || value === undefined ? 'NULL' : text(value))
}

/** A line end would break a line, and control characters the terminal. */
export function printable(shown: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return shown.replace(/[\u0000-\u001f\u007f-\u009f]/g, escaped)
}

function escaped(character: string): string {
  const short = JSON.stringify(character).slice(1, -1)
  // JSON leaves the upper control characters as they are.
  return short.length > 1 ? short : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  const shown = jsonOf(value)
  return typeof shown === 'string' ? shown : JSON.stringify(shown)
}
