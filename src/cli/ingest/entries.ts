/** What comes out of reading a source, and what its readers agree on. */
import type { Checkpoint } from './checkpoint.ts'
import type { CsvState } from './formats/csv-columns.ts'
import type { CsvLine } from './formats/csv-records.ts'
import type { FormatName, Row } from './formats/columns.ts'
import type { LineOptions } from '../../logs/lines.ts'
import type { Source } from './source.ts'

/** A line that gives no row, and why. */
export interface BadLine {
  /** From 1. */
  readonly line: number
  readonly offset: number
  /** The line, or its first 4 KB. */
  readonly text: string
  readonly error: string
}

export interface EntryBlock {
  readonly rows: readonly Row[]
  readonly bad: readonly BadLine[]
  /** Where the next run goes on if this block is committed; null for a source that cannot be read again. */
  readonly checkpoint: Checkpoint | null
  /** Lines of this block, blank ones included, and their bytes (unpacked). */
  readonly lines: number
  readonly bytes: number
}

/**
 * What to do with a last line that has no line end:
 * - `ifWhole`: take it if it can be read; else it may be half written, and is left for the next run;
 * - `always`: take it, or count it as bad: nothing will follow;
 * - `never`: leave it: a writer is at work.
 */
export type LastLine = 'ifWhole' | 'always' | 'never'

/** What the readers of logs and of CSV files are told. */
export interface ReadPlan extends LineOptions {
  readonly source: Source
  readonly from: Checkpoint | undefined
  readonly lastLine: LastLine
  /** Takes the line that was left for the next run. */
  readonly leave: (line: BadLine) => void
}

const MAX_TEXT_BYTES = 4_096

/** A bad line as it is reported: never more of it than a person would read. */
export function badLine(line: CsvLine, error: string): BadLine {
  return { line: line.line, offset: line.offset, text: capped(line.text), error }
}

function capped(text: string): string {
  if (text.length * 3 <= MAX_TEXT_BYTES) return text
  const bytes = Buffer.from(text.slice(0, MAX_TEXT_BYTES))
  // Cutting bytes may cut a character; what is left of it is left out.
  return bytes.length <= MAX_TEXT_BYTES
    ? text
    : bytes.toString('utf8', 0, MAX_TEXT_BYTES).replace(/\uFFFD$/, '')
}

/** How far a reader has come, besides the bytes. */
export interface Progress {
  readonly offset: number
  readonly line: number
  readonly isLineOpen: boolean
  readonly format: FormatName
  readonly lastTs: number
  readonly csv: CsvState | null
}

/** The checkpoint for this progress; null where a source cannot be read again. */
export function checkpointOf(source: Source, progress: Progress): Checkpoint | null {
  const proof = source.prove(progress.offset)
  if (proof === null) return null
  const lastTs = Number.isNaN(progress.lastTs) ? null : progress.lastTs
  return { version: 1, ...proof, ...progress, lastTs }
}
