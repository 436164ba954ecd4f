/** A text as lines that know where they stand in it: what the stages look at. */

export interface Line {
  readonly text: string
  /** Characters before it in the whole text. */
  readonly start: number
  /** Empty lines directly before and behind it. The edges of the text count as many. */
  readonly blankBefore: number
  readonly blankAfter: number
}

const edge = 9

/** The lines between two places that are not empty. */
export function linesOf(text: string, from = 0, to = text.length): readonly Line[] {
  const found: { text: string; start: number; blankBefore: number; blankAfter: number }[] = []
  let blank = edge
  for (let start = from; start < to;) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 || newline > to ? to : newline
    const line = text.slice(start, end)
    if (line.trim() === '') blank++
    else {
      const last = found.at(-1)
      if (last !== undefined) last.blankAfter = blank
      found.push({ text: line, start, blankBefore: blank, blankAfter: edge })
      blank = 0
    }
    start = end + 1
  }
  return found
}

/** The index of the first line at or behind this place. */
export function lineAt(lines: readonly Line[], place: number): number {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((lines[middle]?.start ?? Infinity) < place) low = middle + 1
    else high = middle
  }
  return low
}

export function endOf(line: Line): number {
  return line.start + line.text.length
}

export function countWords(text: string): number {
  return text.match(/\p{L}[\p{L}\p{M}'’-]*|\d+/gu)?.length ?? 0
}
