/** Where the table of contents stands, in one of the shapes that books have; or that there is none. */
import { matterOf, parseLabel, plain, squeeze, withoutPage } from '../text/label.ts'
import { endOf, linesOf, type Line } from '../text/lines.ts'
import { changeBook, known, type Change, type Stage } from './stage.ts'

export interface Contents {
  readonly kind: 'listed' | 'unlabelled'
  /** Its lines, without its heading. */
  readonly lines: readonly Line[]
}

export const contents: Stage = {
  name: 'contents',
  *work(text, { book }): Iterable<Change> {
    const lines = linesOf(text, known(book.body_start, 'body'), known(book.body_end, 'body'))
    const found = findContents(lines)
    const first = found?.lines[0]
    const last = found?.lines.at(-1)
    yield changeBook({
      contents_kind: found?.kind ?? 'headings',
      contents_start: first?.start ?? null,
      contents_end: last === undefined ? null : endOf(last),
    })
  },
}

const heading = /^\W*(?:the )?(?:table of )?contents(?: of .{1,40})?\W*$/i
/** Contents stand near the beginning. */
const searchedShare = 0.15
const searchedAtLeast = 300
const fewest = 3

/** @param lines of the book alone */
export function findContents(lines: readonly Line[]): Contents | undefined {
  const searched = lines.slice(0, Math.max(searchedAtLeast, lines.length * searchedShare))
  const at = searched.findIndex(
    (line) => line.blankBefore > 0 && line.blankAfter > 0 && heading.test(line.text),
  )
  if (at !== -1) {
    const listed = entriesFrom(lines, at + 1)
    if (listed.length >= fewest) return { kind: 'listed', lines: listed }
  }
  const unlabelled = findUnlabelled(searched)
  return unlabelled && { kind: 'unlabelled', lines: unlabelled }
}

const ending = /^\W*(?:list of )?(?:illustrations|maps|plates)\W*$/i
const columns = /^\W*(?:chapter|chap\.?|no\.?)?\s*(?:title)?\s*page\W*$/i
const longestEntry = 110

/** From its heading to the first line that is none of it: a list of pictures, prose, or the book itself. */
function entriesFrom(lines: readonly Line[], from: number): readonly Line[] {
  const found: Line[] = []
  for (const line of lines.slice(from)) {
    if (columns.test(line.text)) continue
    if (ending.test(line.text) || beginsBook(line, found) || isProse(line, found)) break
    found.push(line)
  }
  return found
}

/** An entry that comes again is no entry but its heading; what stands far apart from the rest is another page. */
function beginsBook(line: Line, found: readonly Line[]): boolean {
  if (found.length < fewest) return false
  // "CHAPTER I" may be listed again under the next volume, so only the first entry may be told by its number alone.
  const isEntryAgain = found.some((entry, at) => isHeadingOf(entry, line, at === 0))
  return line.blankBefore >= 4 || isEntryAgain
}

function isHeadingOf(entry: Line, line: Line, byNumber: boolean): boolean {
  const listed = parseLabel(entry.text)
  const found = parseLabel(line.text)
  const title = plain(listed?.title ?? withoutPage(entry.text))
  const isTitled = title !== '' && title === plain(found?.title ?? withoutPage(line.text))
  if (listed?.number === undefined || found?.number === undefined) return isTitled
  if (listed.number !== found.number) return false
  const isSameWord = listed.word === found.word || (listed.word === undefined && found.title === '')
  return isTitled || (byNumber && isSameWord && (found.title === '' || title === ''))
}

function isProse(line: Line, found: readonly Line[]): boolean {
  const text = squeeze(line.text)
  if (text.length > longestEntry) return true
  const isListed =
    parseLabel(text) !== undefined || /\d$|\.\s*\.|[ivxl]+$/.test(text) || matterOf(text) !== undefined
  if (isListed) return false
  // A paragraph: long lines, without space between them, that end in the middle of a sentence.
  const isWide = text.length > 55 && line.blankAfter === 0
  return isWide && found.length > 0 && line.blankBefore > 0
}

/** A run of numbered lines close together, each with its own number, and the first of them again later: contents without a heading. */
function findUnlabelled(lines: readonly Line[]): readonly Line[] | undefined {
  for (const [at, line] of lines.entries()) {
    const label = parseLabel(line.text)
    if (label?.number !== 1) continue
    const run = [line]
    for (const next of lines.slice(at + 1)) {
      const number = parseLabel(next.text)?.number
      if (number !== run.length + 1 || next.blankBefore > 0) break
      run.push(next)
    }
    if (run.length >= fewest && lines.slice(at + run.length).some((later) => isHeadingOf(line, later, true)))
      return run
  }
  return undefined
}
