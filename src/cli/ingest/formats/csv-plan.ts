/** Works out how to read a CSV file from its first lines: delimiter, header, the types of its columns. */
import { inferTypes } from './csv-columns.ts'
import { CsvRecords, readFields } from './csv-records.ts'
import type { CsvLine } from './csv-records.ts'
import type { ColumnType } from './columns.ts'

export interface CsvPlan {
  readonly delimiter: string
  /** The first row, as it stands in the file. */
  readonly header: readonly string[]
  readonly types: readonly ColumnType[]
  /** The rows of the sample, and how many of them are as wide as the header. */
  readonly sampleRows: number
  readonly fittingRows: number
}

const DELIMITERS = [',', '\t', ';', '|'] as const
const MAX_SAMPLE_ROWS = 1_000

/** How to read these lines as CSV, or undefined if there is no line to be the header. */
export function planCsv(
  lines: readonly CsvLine[],
  name: string,
  maxRecordBytes: number,
): CsvPlan | undefined {
  const delimiter = isTabbed(name) ? '\t' : delimiterOf(lines, maxRecordBytes)
  const [header, ...rows] = recordsOf(lines, delimiter, maxRecordBytes)
  if (header === undefined || typeof header === 'string') return undefined
  const good = rows.filter((row) => typeof row !== 'string')
  return {
    delimiter,
    header,
    types: inferTypes(header.length, good),
    sampleRows: rows.length,
    fittingRows: good.filter((row) => row.length === header.length).length,
  }
}

/** The delimiter that cuts the header into the most fields; the comma where none does. */
function delimiterOf(lines: readonly CsvLine[], maxRecordBytes: number): string {
  let best: string = DELIMITERS[0]
  let mostFields = 1
  for (const delimiter of DELIMITERS) {
    const [header] = recordsOf(lines.slice(0, 20), delimiter, maxRecordBytes)
    if (header === undefined || typeof header === 'string' || header.length <= mostFields) continue
    mostFields = header.length
    best = delimiter
  }
  return best
}

function recordsOf(
  lines: readonly CsvLine[],
  delimiter: string,
  maxRecordBytes: number,
): (string[] | string)[] {
  const records = new CsvRecords(delimiter, maxRecordBytes, { offset: 0, line: 0 })
  for (const line of lines) records.add(line)
  return readFields(records.take().slice(0, MAX_SAMPLE_ROWS + 1), delimiter)
}

export function isTabbed(name: string): boolean {
  return /\.tsv(?:\.gz)?$/i.test(name)
}
