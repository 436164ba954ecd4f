/** Title, author, language and release, from what Project Gutenberg puts before a book or from its first lines. */
import { squeeze } from '../text/label.ts'
import { endOf, linesOf, type Line } from '../text/lines.ts'
import { changeBook, type Change, type Stage } from './stage.ts'

interface Metadata {
  readonly title: string
  readonly author: string | null
  readonly released: string | null
  readonly language: string | null
  /** Where the header ends. */
  readonly start: number
}

const headerLines = 400

export const metadata: Stage = {
  name: 'metadata',
  *work(text): Iterable<Change> {
    const lines = linesOf(text)
    const head = lines.slice(0, headerLines)
    const { start, ...found } = gutenbergHeader(head) ?? corpusLine(head) ?? firstLines(head)
    yield changeBook({
      ...found,
      language: found.language ?? guessLanguage(text.slice(start, start + 50_000)),
      body_start: start,
      body_end: endOfBody(lines, text.length),
    })
  },
}

const startMarks = [/^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG/i, /^\*END.?THE SMALL PRINT/i]
const opening = /^\W*(?:The )?Project Gutenberg(?:'s)?(?: e-?(?:book|text))?(?: of)? (.+?), by (.+?)\W*$/i

function gutenbergHeader(head: readonly Line[]): Metadata | undefined {
  const starts = head.flatMap((line) =>
    startMarks.some((mark) => mark.test(line.text)) ? [endOf(line)] : [],
  )
  const field = (name: string): string | null => {
    const line = head.find(({ text }) => text.toLowerCase().startsWith(`${name}:`))
    return line === undefined ? null : squeeze(line.text.slice(name.length + 1)) || null
  }
  const named = head.map(({ text }) => opening.exec(text)).find((match) => match !== null)
  const title = field('title') ?? named?.[1]
  if (title === undefined || (starts.length === 0 && named === undefined && field('author') === null))
    return undefined
  return {
    title: title.replace(/[;:,]$/, ''),
    author: field('author') ?? named?.[2] ?? null,
    released: (field('release date') ?? field('posting date'))?.replace(/\s*\[.*$/, '') ?? null,
    language: field('language'),
    start: Math.max(0, ...starts),
  }
}

/** "[Emma by Jane Austen 1816]", the first line of a book in a corpus. */
function corpusLine([first]: readonly Line[]): Metadata | undefined {
  const inside = first && /^\[(.+)\]\s*$/.exec(first.text)?.[1]
  if (first === undefined || inside === undefined) return undefined
  const [, name = inside, year] = /^(.*?)\s+(\d{4})$/.exec(inside) ?? []
  const [, title = name, author] = /^(.*?),?\s+by\s+(.+)$/.exec(name) ?? []
  return { title, author: author ?? null, released: year ?? null, language: null, start: endOf(first) }
}

/** A title, perhaps "by" somebody, before anything else. */
function firstLines([first, second, third]: readonly Line[]): Metadata {
  const by = [second, third].map((line) => /^\s*by\s+(.+)$/i.exec(line?.text ?? '')?.[1])
  const author = by.find((name) => name !== undefined)
  const alone = /^\s*by\s*$/i.test(second?.text ?? '') ? third?.text : undefined
  return {
    title: squeeze(first?.text ?? '').replace(/[;:,]$/, ''),
    author: author === undefined && alone === undefined ? null : squeeze(author ?? alone ?? ''),
    released: null,
    language: null,
    start: 0,
  }
}

const ends = [/^\**\s*END OF (?:THE |THIS )?PROJECT GUTENBERG/i, /^End of (?:The )?Project Gutenberg/i]

function endOfBody(lines: readonly Line[], length: number): number {
  return lines.find(({ text }) => ends.some((end) => end.test(text)))?.start ?? length
}

const common: Readonly<Record<string, readonly string[]>> = {
  English: ['the', 'and', 'of', 'that', 'was', 'with'],
  French: ['les', 'des', 'est', 'une', 'que', 'dans'],
  German: ['und', 'der', 'die', 'nicht', 'ist', 'das'],
  Spanish: ['los', 'una', 'por', 'con', 'las', 'del'],
  Latin: ['et', 'est', 'non', 'cum', 'quod', 'ad'],
}

/** By its most frequent words. */
function guessLanguage(sample: string): string | null {
  const counts = new Map<string, number>()
  for (const word of sample.toLowerCase().match(/\p{L}+/gu) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1)
  const scores = Object.entries(common).map(([language, words]) => ({
    language,
    score: words.reduce((sum, word) => sum + (counts.get(word) ?? 0), 0),
  }))
  const best = scores.toSorted((a, b) => b.score - a.score)[0]
  return best === undefined || best.score === 0 ? null : best.language
}
