/** The text between headings as rows: where it stands, how many words, and a hash of it. */
import { countWords } from '../text/lines.ts'
import { hashOf } from '../text/hash.ts'
import type { BookRow } from '../tables.ts'
import { known, type Change, type Stage } from './stage.ts'

interface Piece {
  readonly entry: number | null
  readonly title: string
  readonly level: number
  readonly start: number
  readonly end: number
}

export const chapters: Stage = {
  name: 'chapters',
  *work(text, { book, entries }): Iterable<Change> {
    const starts = entries.flatMap(({ n, title, label, level, start, end }) =>
      start === null || end === null
        ? []
        : [{ entry: n, title: title || label, level, heading: start, start: end }],
    )
    const bodyEnd = known(book.body_end, 'body')
    const pieces = starts.map(({ heading: _heading, ...piece }, at): Piece => ({
      ...piece,
      end: starts[at + 1]?.heading ?? bodyEnd,
    }))
    let n = 0
    for (const piece of [...beforeFirst(book, starts[0]?.heading), ...pieces, ...behind(text, bodyEnd)]) {
      const { start, end } = piece
      const content = text.slice(start, end)
      if (piece.entry === null && content.trim() === '') continue
      yield {
        table: 'chapters',
        row: { n: ++n, ...piece, words: countWords(content), hash: hashOf(content), ...open },
      }
    }
  },
}

const open = { class: null, class_reason: null, text: null, text_hash: null }

/** What stands before the first heading, around the contents; all of it, in a book without a heading. */
function beforeFirst(book: BookRow, heading = known(book.body_end, 'body')): Piece[] {
  const { contents_start: from, contents_end: to } = book
  const start = known(book.body_start, 'body')
  const piece = { entry: null, level: 1 }
  if (from === null || to === null)
    return [{ ...piece, title: 'before the first heading', start, end: heading }]
  return [
    { ...piece, title: 'before the contents', start, end: from },
    { ...piece, title: 'contents', start: from, end: to },
    { ...piece, title: 'behind the contents', start: to, end: heading },
  ]
}

function behind(text: string, bodyEnd: number): Piece[] {
  return [{ entry: null, level: 1, title: 'licence', start: bodyEnd, end: text.length }]
}
