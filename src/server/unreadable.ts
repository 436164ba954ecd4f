/** Lines of a body that are no row, as they are kept: as dead letters, with where they stood. */
import type { BadLine } from './intake.ts'

export interface UnreadableLine extends BadLine {
  readonly text: string
}

/** As much of a line as a person would read. */
const keptCharacters = 4_096

export function asKept({ line, text, error }: UnreadableLine): {
  readonly text: string
  readonly error: string
} {
  return { text: text.slice(0, keptCharacters).toWellFormed(), error: `line ${line} of a request: ${error}` }
}
