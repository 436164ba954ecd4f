/** Prints rows one by one as they come, or as a table when all are there. */
import Table from 'cli-table3'

export const ROW_FORMATS = ['table', 'ndjson', 'csv'] as const
export type RowFormat = (typeof ROW_FORMATS)[number]

type Row = Record<string, unknown>

/** A table is held in memory to size its columns: beyond this it says so and stops. */
const maxTableRows = 1_000

export function printRows(
  columns: readonly string[],
  rows: Iterable<Row>,
  format: RowFormat,
  print: (text: string) => void,
): void {
  if (format === 'ndjson') for (const row of rows) print(`${JSON.stringify(row, replacer)}\n`)
  else if (format === 'csv') printCsv(columns, rows, print)
  else printTable(columns, rows, print)
}

function printCsv(columns: readonly string[], rows: Iterable<Row>, print: (text: string) => void): void {
  print(`${columns.map(csvField).join(',')}\n`)
  for (const row of rows) print(`${columns.map((column) => csvField(row[column])).join(',')}\n`)
}

function printTable(columns: readonly string[], rows: Iterable<Row>, print: (text: string) => void): void {
  const table = new Table({ head: [...columns], style: { head: [], border: [], compact: true } })
  let count = 0
  let isCut = false
  for (const row of rows) {
    if (count === maxTableRows) {
      isCut = true
      break
    }
    count++
    table.push(columns.map((column) => cell(row[column])))
  }
  print(`${table.toString()}\n`)
  print(
    isCut
      ? `first ${maxTableRows} rows; --format ndjson prints them all\n`
      : `${count} ${count === 1 ? 'row' : 'rows'}\n`,
  )
}

function cell(value: unknown): string {
  // A line end would break the table, and control characters the terminal.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text(value).replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    JSON.stringify(character).slice(1, -1),
  )
}

function csvField(value: unknown): string {
  const field = text(value)
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function text(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  return typeof value === 'string' ? value : JSON.stringify(value, replacer)
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
