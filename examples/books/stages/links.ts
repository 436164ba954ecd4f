/** Where in the text the heading of each entry stands: searched in order, each behind the one before it. */
import { parseLabel, plain } from '../text/label.ts'
import { endOf, lineAt, linesOf, type Line } from '../text/lines.ts'
import type { EntryRow } from '../tables.ts'
import { known, type Change, type Stage } from './stage.ts'

export const links: Stage = {
  name: 'links',
  *work(text, { book, entries }): Iterable<Change> {
    const lines = linesOf(text, known(book.body_start, 'body'), known(book.body_end, 'body'))
    let at = book.contents_end === null ? 0 : lineAt(lines, book.contents_end)
    for (const entry of entries) {
      const found = findHeading(lines, at, entry)
      yield { table: 'entries', n: entry.n, set: { start: found?.start ?? null, end: found?.end ?? null } }
      if (found !== undefined) at = found.next
    }
  },
}

interface Place {
  readonly start: number
  readonly end: number
  /** The line behind it. */
  readonly next: number
}

/** The whole heading if it is anywhere; else its number alone, or its title alone. */
function findHeading(lines: readonly Line[], from: number, entry: EntryRow): Place | undefined {
  const wanted = wantedOf(entry)
  let second: Place | undefined
  for (let at = from; at < lines.length; at++) {
    const line = lines[at]
    if (line === undefined || line.blankBefore === 0 || line.text.length > 110) continue
    const alone = plain(line.text)
    if (wanted.whole.has(alone)) return withTitle(lines, at, wanted.title)
    const next = lines[at + 1]
    if (next !== undefined && wanted.whole.has(`${alone} ${plain(next.text)}`))
      return placeOf(lines, at, at + 1)
    if (second === undefined && isPart(line, entry, wanted.title)) second = placeOf(lines, at, at)
  }
  return second
}

interface Wanted {
  /** Whatever the heading may read like, all of it. */
  readonly whole: ReadonlySet<string>
  readonly title: string
}

function wantedOf({ label, title, number }: EntryRow): Wanted {
  const name = plain(title)
  const readings = [plain(label)]
  if (number !== null && name !== '')
    for (const digits of [String(number), romanOf(number)])
      readings.push(`chapter ${digits} ${name}`, `${digits} ${name}`)
  return { whole: new Set(readings.filter((reading) => reading !== '')), title: name }
}

/** "CHAPTER I" was found: its title on the next line belongs to it too. */
function withTitle(lines: readonly Line[], at: number, title: string): Place {
  const next = lines[at + 1]
  const hasTitle = next !== undefined && title !== '' && plain(next.text) === title
  return placeOf(lines, at, hasTitle ? at + 1 : at)
}

function isPart(line: Line, entry: EntryRow, title: string): boolean {
  if (line.blankAfter === 0) return false
  if (title !== '' && plain(line.text) === title) return true
  const label = parseLabel(line.text)
  const listed = parseLabel(entry.label)
  return (
    entry.number !== null &&
    label?.number === entry.number &&
    (label.word === listed?.word || listed?.word === undefined) &&
    (label.title === '' || title === '')
  )
}

function placeOf(lines: readonly Line[], first: number, last: number): Place {
  const from = lines[first]
  const to = lines[last]
  if (from === undefined || to === undefined) throw new Error('a heading stands in a line')
  return { start: from.start, end: endOf(to), next: last + 1 }
}

const romanParts: readonly (readonly [number, string])[] = [
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
]

function romanOf(number: number): string {
  let rest = number
  let text = ''
  for (const [value, letters] of romanParts) for (; rest >= value; rest -= value) text += letters
  return text
}
