/** What each chapter is, by rules, each of which says why. */
import type { ChapterClass, ChapterRow } from '../tables.ts'
import { matterOf } from '../text/label.ts'
import type { Change, Stage } from './stage.ts'

export const classification: Stage = {
  name: 'classification',
  *work(_text, { book, entries, chapters }): Iterable<Change> {
    const numbered = new Set(entries.filter(({ number }) => number !== null).map(({ n }) => n))
    const parts = chapters.filter(({ entry, title }) => entry !== null && matterOf(title) === undefined)
    const bounds: Bounds = {
      firstBody: parts.find(({ words }) => words > 0)?.n,
      lastNumbered: parts.findLast(({ entry }) => entry !== null && numbered.has(entry))?.n ?? 0,
      bodyEnd: book.body_end ?? Infinity,
    }
    for (const chapter of chapters) {
      const [name, reason] = classify(chapter, bounds)
      yield { table: 'chapters', n: chapter.n, set: { class: name, class_reason: reason } }
    }
  },
}

interface Bounds {
  /** The first chapter that has text and whose title is not that of front matter. */
  readonly firstBody: number | undefined
  readonly lastNumbered: number
  readonly bodyEnd: number
}

function classify(
  { n, entry, title, words, start }: ChapterRow,
  { firstBody, lastNumbered, bodyEnd }: Bounds,
): readonly [ChapterClass, string] {
  if (start >= bodyEnd) return ['licence', 'behind the end of the book']
  if (entry === null && firstBody === undefined) return ['body', 'the book has no headings']
  if (entry === null) return ['front', 'before the first heading']
  if (words === 0) return ['division', 'it has no text of its own']
  const matter = matterOf(title)
  if (matter === 'notes') return ['notes', 'its title']
  // An introduction between chapters is one of them, and so is a postscript.
  if (matter === 'front' && n < (firstBody ?? n + 1)) return ['front', 'its title']
  if (matter === 'back' && n > lastNumbered) return ['back', 'its title']
  return ['body', 'its place']
}
