import type { CsvLine } from './formats/csv-records.ts'
import { LineSplitter } from '../../logs/lines.ts'
import type { LineBlock, LineOptions } from '../../logs/lines.ts'
import type { Source } from './source.ts'

/**
 * The lines at the beginning of a source, as far as it has been looked at; none that may go on behind that.
 */
export function sampleLines(source: Source, options: LineOptions): CsvLine[] {
  const { lines, last } = split(source, options)
  // What is cut off by the end of the sample is no line, unless there is nothing else to go by.
  return source.isHeadWhole || lines.length === 0 ? [...lines, ...last] : lines
}

/** The same without a last line that may be half written, which would speak against its own format. */
export function wholeSampleLines(source: Source, options: LineOptions): CsvLine[] {
  const { lines, last } = split(source, options)
  return lines.length === 0 ? last : lines
}

function split(source: Source, options: LineOptions): { lines: CsvLine[]; last: CsvLine[] } {
  const splitter = new LineSplitter({ offset: 0, line: 0 }, options)
  const lines: CsvLine[] = []
  const last: CsvLine[] = []
  for (const block of splitter.push(source.head)) collect(block, lines)
  for (const block of splitter.end()) collect(block, last)
  return { lines, last }
}

function collect(block: LineBlock, lines: CsvLine[]): void {
  for (let index = 0; index < block.lines.length; index++) lines.push(lineAt(block, index))
}

/** One line of a block with its place and what is wrong with it. */
export function lineAt(block: LineBlock, index: number): CsvLine {
  return {
    text: block.lines[index] ?? '',
    line: block.firstLine + index,
    offset: index === 0 ? block.start : (block.ends[index - 1] ?? block.start),
    end: block.ends[index] ?? block.start,
    error: block.broken?.get(index),
  }
}
