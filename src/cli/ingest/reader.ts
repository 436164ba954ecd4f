/**
 * Reads the entries of a source: rows, bad lines, and after each block where to go on.
 *
 * Same source, same rows: stopped behind any block and read on from its checkpoint, it gives what one go
 * would.
 */
import type { Checkpoint } from './checkpoint.ts'
import { prepareCsv, readCsv } from './csv-reader.ts'
import type { BadLine, EntryBlock, LastLine, ReadPlan } from './entries.ts'
import { detectFormat } from './formats/detect.ts'
import type { Detection } from './formats/detect.ts'
import { LOG_COLUMNS } from './formats/columns.ts'
import type { Column, FormatName } from './formats/columns.ts'
import { InputError } from './input-error.ts'
import type { Encoding } from '../../logs/lines.ts'
import { readLog } from './log-reader.ts'
import { wholeSampleLines } from './sample.ts'
import type { Source } from './source.ts'

export type { BadLine, EntryBlock, LastLine } from './entries.ts'

export interface ReadOptions {
  readonly format: FormatName | 'auto'
  /** Where to go on. The source must match it (`source.matches`). */
  readonly from?: Checkpoint
  /** CSV: the columns of the table that exists. The header must name them; the types are the table's. */
  readonly columns?: readonly Column[]
  /** Default `ifWhole` for a file, `always` for a stream. */
  readonly lastLine?: LastLine
  /** Default `utf8`. */
  readonly encoding?: Encoding
  /** Default 1 MB. Longer lines are bad, and never held in memory. */
  readonly maxLineBytes?: number
}

/** The rows of a source, to be read once. */
export interface EntryReader {
  readonly format: FormatName
  /** How the format was told, if it had to be. */
  readonly detection: Detection | null
  readonly columns: readonly Column[]
  /** Blocks of about 1,000 rows at most, in the order of the source. */
  readonly blocks: AsyncIterable<EntryBlock>
  /** When the blocks are through: the last line, if it was left for the next run. */
  readonly incomplete: BadLine | null
}

const DEFAULT_MAX_LINE_BYTES = 1024 * 1024

/**
 * Prepares to read a source.
 *
 * @throws InputError `INPUT_FORMAT` when it is in no format that is read line by line, or not in the one it
 *   was read in before; `CSV_HEADER_INVALID`, `CSV_HEADER_CHANGED`. Reading the blocks throws
 *   `INPUT_UNREADABLE`, `INPUT_DAMAGED`, `INPUT_INCOMPLETE` and `INPUT_CHANGED`, after the blocks before
 *   it.
 */
export function readEntries(source: Source, options: ReadOptions): EntryReader {
  const { from } = options
  let incomplete: BadLine | null = null
  const plan: ReadPlan = {
    source,
    from,
    lastLine: options.lastLine ?? (source.isResumable ? 'ifWhole' : 'always'),
    encoding: options.encoding ?? 'utf8',
    maxLineBytes: options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES,
    leave: (line) => {
      incomplete = line
    },
  }
  const detection = options.format === 'auto' && from === undefined ? detect(plan) : null
  const format = formatOf(options, detection)
  const csv = format === 'csv' ? prepareCsv(plan, options.columns) : undefined
  return {
    format,
    detection,
    columns: csv?.columns ?? LOG_COLUMNS,
    blocks: csv !== undefined ? readCsv(plan, csv) : readLog(plan, format === 'csv' ? 'plain' : format),
    get incomplete() {
      return incomplete
    },
  }
}

function detect(plan: ReadPlan): Detection {
  refuseWholeJson(plan.source)
  return detectFormat(wholeSampleLines(plan.source, plan), plan.source.name)
}

function formatOf({ format, from }: ReadOptions, detection: Detection | null): FormatName {
  if (format === 'auto') return from?.format ?? detection?.format ?? 'plain'
  if (from === undefined || from.format === format) return format
  throw new InputError(
    'INPUT_FORMAT',
    `this file was read as ${from.format} up to line ${from.line}, and cannot go on as ${format}`,
    `leave --format out, or say --format ${from.format}`,
  )
}

/** One JSON document over many lines would come out as nonsense, one row a line. */
function refuseWholeJson(source: Source): void {
  const text = source.head
    .subarray(0, 1_024)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
  const isArray = /^\[\s*\{\s*["}]/.test(text)
  const isIndented = /^\{\s*\n\s*["}]/.test(text)
  if (!isArray && !isIndented) return
  throw new InputError(
    'INPUT_FORMAT',
    `${source.name} is ${isArray ? 'one JSON array' : 'JSON over several lines'}; one object a line is needed`,
    `jq -c ${isArray ? "'.[]'" : '.'} FILE | tidemark ingest -; or say --format plain`,
  )
}
