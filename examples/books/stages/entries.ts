/** The lines of the contents as entries: number, title, level. Without contents, the headings found in the text. */
import { findHeadings } from '../text/headings.ts'
import { parseLabel, rankOf, squeeze, withoutPage } from '../text/label.ts'
import { linesOf, type Line } from '../text/lines.ts'
import { known, type Change, type Stage } from './stage.ts'

interface Entry {
  readonly number: number | null
  readonly title: string
  readonly label: string
  readonly level: number
}

export const entries: Stage = {
  name: 'entries',
  *work(text, { book }): Iterable<Change> {
    const { contents_start: start, contents_end: end } = book
    const listed =
      start === null || end === null
        ? entriesOfHeadings(linesOf(text, known(book.body_start, 'body'), known(book.body_end, 'body')))
        : entriesOfContents(linesOf(text, start, end))
    for (const [at, entry] of listed.entries())
      yield { table: 'entries', row: { n: at + 1, ...entry, start: null, end: null } }
  },
}

function entriesOfHeadings(lines: readonly Line[]): readonly Entry[] {
  return findHeadings(lines).map(({ number, title, text, level }) => ({
    number: number ?? null,
    title,
    label: text,
    level,
  }))
}

type Listed = Omit<Entry, 'level'> & {
  readonly rank: number
  readonly indent: number
  readonly isApart: boolean
}

export function entriesOfContents(lines: readonly Line[]): readonly Entry[] {
  const found: Listed[] = []
  for (const line of lines) {
    const entry = parseEntry(line)
    const last = found.at(-1)
    if (last !== undefined && goesOn(last, entry, line)) {
      const title = squeeze(`${last.title} ${entry.title}`)
      found[found.length - 1] = { ...last, title, label: squeeze(`${last.label} ${entry.label}`) }
    } else found.push(entry)
  }
  return withLevels(found)
}

function parseEntry(line: Line): Listed {
  const indent = line.text.length - line.text.trimStart().length
  const place = { indent, isApart: line.blankBefore > 0 }
  const label = parseLabel(line.text)
  const text = squeeze(line.text)
  if (label === undefined) {
    const title = withoutPage(text)
    return { number: null, title, label: title, rank: 0, ...place }
  }
  // In "Letter 1" the number is no page.
  const named = label.title === '' ? text : withoutPage(text)
  return {
    number: label.number ?? null,
    title: label.title,
    label: named,
    rank: rankOf(label.word),
    ...place,
  }
}

/** A line under a number that has no title is its title; one without its space, or indented further, goes on with it. */
function goesOn(last: Listed, entry: Listed, line: Line): boolean {
  if (entry.number !== null || last.number === null || line.blankBefore > 1) return false
  if (last.title === '') return true
  return !entry.isApart && (last.isApart || entry.indent > last.indent + 2)
}

/** By the words where there are any, else by how far they are indented. */
function withLevels(found: readonly Listed[]): Entry[] {
  const isWorded = new Set(found.filter(({ rank }) => rank > 0).map(({ rank }) => rank)).size > 1
  const depth = ({ rank, indent }: Listed): number => (isWorded ? rank : indent)
  const depths = [...new Set(found.map(depth))]
    .filter((one) => !isWorded || one > 0)
    .toSorted((a, b) => a - b)
  return found.map((entry) => {
    const { number, title, label } = entry
    return { number, title, label, level: Math.max(1, depths.indexOf(depth(entry)) + 1) }
  })
}
