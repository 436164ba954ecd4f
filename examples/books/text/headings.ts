/** Headings found in a text that tells of none: by their words, their numbers, or how they stand apart. */
import { matterOf, parseLabel, rankOf, squeeze, type Label } from './label.ts'
import { endOf, type Line } from './lines.ts'

export interface Heading extends Label {
  /** As it stands in the text, its title's line included. */
  readonly text: string
  readonly level: number
  readonly start: number
  /** Where the text under it begins. */
  readonly end: number
}

type Found = Omit<Heading, 'level'> & { readonly rank: number }

const longestHeading = 75
/** A book with so many headings of a kind is divided by them. */
const enough = 3
/** So much text under a line makes it a heading of its own, and no line of a title page. */
const textUnder = 300

/** In the order of the text, each with its level from 1. */
export function findHeadings(lines: readonly Line[]): readonly Heading[] {
  const labelled = inSequence(lines.flatMap((line, at) => labelledAt(lines, line, at)))
  const matter = lines.flatMap((line, at) => matterAt(lines, line, at))
  const marked = lines.flatMap((line) => markedAt(line))
  if (marked.length >= enough) return withLevels([...marked, ...labelled, ...matter])
  const capitals = lines.flatMap((line, at) => capitalsAt(lines, line, at))
  if (labelled.length >= enough && !divideFirst(capitals, labelled))
    return withLevels([...labelled, ...matter])
  if (capitals.length >= enough) return withLevels([...labelled, ...capitals])
  const apart = lines.flatMap((line, at) => apartAt(lines, line, at))
  return withLevels(apart.length >= enough ? apart : [...labelled, ...matter])
}

/** Whether several titles stand before the first chapter, each with text: then they divide the book, and chapters some of them. */
function divideFirst(titles: readonly Found[], [first]: readonly Found[]): boolean {
  const before = titles.filter(({ start }) => start < (first?.start ?? 0))
  const divide = before.filter(({ title, end }, at) => {
    const next = before[at + 1]?.start ?? first?.start ?? end
    return matterOf(title) === undefined && next - end >= textUnder
  })
  return divide.length > 1
}

function labelledAt(lines: readonly Line[], line: Line, at: number): Found[] {
  if (line.text.length > longestHeading || line.blankBefore === 0) return []
  const label = parseLabel(line.text)
  if (label === undefined || (label.word === undefined && line.blankAfter === 0)) return []
  const next = lines[at + 1]
  if (label.title === '' && next !== undefined && isTitle(line, next)) {
    const text = `${squeeze(line.text)} ${squeeze(next.text)}`
    return [{ ...label, title: squeeze(next.text), text, ...spanOf(line, next), rank: rankOf(label.word) }]
  }
  return [{ ...label, text: squeeze(line.text), ...spanOf(line), rank: rankOf(label.word) }]
}

const stageDirection = /^(?:enter|re-enter|exit|exeunt|flourish|alarum|thunder|scene)\b/i

/** Whether the next line is the title of the heading above it, and not its text. */
function isTitle(heading: Line, next: Line): boolean {
  const text = squeeze(next.text)
  if (next.blankAfter === 0 || heading.blankAfter > 3 || text.length > longestHeading) return false
  if (parseLabel(text) !== undefined || !/\p{L}/u.test(text) || stageDirection.test(text)) return false
  return text === text.toUpperCase() || isTitleCase(text)
}

function isTitleCase(text: string): boolean {
  if (/["“”'!?:;,]$|^["“']/.test(text)) return false
  const words = text.replace(/\.$/, '').split(' ')
  const small = /^(?:a|an|and|as|at|by|for|from|in|into|of|on|or|the|to|upon|with|--|&)$/i
  return words.every((word) => small.test(word) || /^[^\p{L}]*\p{Lu}/u.test(word)) && words.length <= 12
}

function matterAt(lines: readonly Line[], line: Line, at: number): Found[] {
  const text = squeeze(line.text)
  if (line.blankBefore < 2 || line.blankAfter === 0 || text.length > longestHeading) return []
  const before = lines[at - 1]
  // What stands directly under a heading is its title.
  if (before !== undefined && parseLabel(before.text) !== undefined) return []
  const first = text.split(/[\s.:(]/)[0] ?? ''
  const isHeading = matterOf(text) !== undefined && (first === first.toUpperCase() || isTitleCase(text))
  return isHeading ? [titled(text, spanOf(line), 0)] : []
}

/** Poems that an editor marked: "}  To a Historian", "[BOOK I.  INSCRIPTIONS]". */
function markedAt(line: Line): Found[] {
  const title = /^}\s+(.+)$/.exec(line.text)?.[1]
  return title === undefined ? [] : [titled(squeeze(title), spanOf(line), 9)]
}

const isEnding = /^(?:the end|finis)\b/i

function capitalsAt(lines: readonly Line[], line: Line, at: number): Found[] {
  const text = squeeze(line.text)
  const isApart = line.blankBefore >= 2 && line.blankAfter > 0
  if (!isApart || text.length > longestHeading || parseLabel(text) !== undefined) return []
  if (!/\p{Lu}{2}/u.test(text) || text !== text.toUpperCase() || /^["“[(*]/.test(text) || isEnding.test(text))
    return []
  const before = lines[at - 1]
  if (before !== undefined && parseLabel(before.text) !== undefined) return []
  return [titled(text, spanOf(line), 0)]
}

/** Not even capitals: only the empty lines around it. Two of them together are the name of a part and its first chapter. */
function apartAt(lines: readonly Line[], line: Line, at: number): Found[] {
  const text = squeeze(line.text)
  const before = lines[at - 1]
  const isApart =
    line.blankBefore >= 3 || (line.blankAfter >= 2 && before !== undefined && before.blankBefore >= 3)
  if (!isApart || line.blankAfter === 0 || text.length > longestHeading) return []
  return /^\p{Lu}.*[^:;,]$/u.test(text) && !isEnding.test(text) ? [titled(text, spanOf(line), 0)] : []
}

function titled(title: string, span: { readonly start: number; readonly end: number }, rank: number): Found {
  return { word: undefined, number: undefined, title, text: title, ...span, rank }
}

function spanOf(first: Line, last: Line = first): { readonly start: number; readonly end: number } {
  return { start: first.start, end: endOf(last) }
}

/**
 * Numbers alone are believed only where no words stand before numbers, and where they count: each is one more than the
 * last, or begins again. A line that happens to begin with "I.", or what the first witch says, is no chapter.
 */
function inSequence(found: readonly Found[]): Found[] {
  const worded = found.filter(({ word }) => word !== undefined)
  if (worded.length >= enough) return worded
  let last = 0
  return found.filter(({ word, number }) => {
    const counts = word !== undefined || number === last + 1 || (number === 1 && last >= enough)
    if (counts && word === undefined) last = number ?? last
    return counts
  })
}

/** Ranks, whichever occur, become the levels 1, 2, 3; preface and epilogue stand beside the largest. */
function withLevels(found: readonly Found[]): Heading[] {
  const ranks = [...new Set(found.map(({ rank }) => rank))].toSorted((a, b) => a - b)
  const levels = new Map(ranks.map((rank, at) => [rank, at + 1]))
  const top = ranks[0] === 0 && !isTitlesAbove(found) ? 1 : 0
  return found
    .toSorted((a, b) => a.start - b.start)
    .filter(({ start }, at, all) => all[at - 1]?.start !== start)
    .map(({ rank, ...heading }) => ({ ...heading, level: Math.max(1, (levels.get(rank) ?? 1) - top) }))
}

/** Titles in capitals divide the book, and numbered chapters divide them: not so the preface of a book of chapters. */
function isTitlesAbove(found: readonly Found[]): boolean {
  return found.some(({ rank, title }) => rank === 0 && matterOf(title) === undefined)
}
