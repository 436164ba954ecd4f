/** The lines of a page, found anywhere on it, as text: what stands further apart is parted by empty lines. */

export interface PageLine {
  readonly text: string
  /** Where its letters stand, from the top. */
  readonly baseline: number
}

export function textOfLines(lines: readonly PageLine[]): string {
  const sorted = lines.toSorted((a, b) => a.baseline - b.baseline)
  const gaps = sorted.slice(1).map(({ baseline }, at) => baseline - (sorted[at]?.baseline ?? baseline))
  // Most lines stand as close as they can; a few may be parts of one.
  const pitch = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 4)] ?? 0
  const text = sorted.map((line, at) => {
    const gap = gaps[at] ?? pitch
    const rows = pitch > 0 ? Math.max(1, Math.round(gap / pitch)) : 1
    return straight(line.text.trim()) + '\n'.repeat(rows)
  })
  return text.join('').trimEnd()
}

/** Letters are recognised one by one, so that one quote of a pair may be curly and the other not. */
function straight(text: string): string {
  return text.replaceAll(/[‘’]/g, "'").replaceAll(/[“”]/g, '"')
}
