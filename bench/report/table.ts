/** Plain text tables: the first column to the left, numbers to the right. */

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const draw = (line: readonly string[]): string =>
    line
      .map((cell, column) => {
        const width = widths[column] as number
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  return [draw(headings), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(draw)].join('\n')
}

export function heading(text: string): string {
  return `\n${text}\n${'═'.repeat(text.length)}`
}
