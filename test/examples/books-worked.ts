/** A text through the stages in plain memory, up to the one that a test looks at. */
import { MemoryBook, newBook } from '../../examples/books/state.ts'
import { textStage } from '../../examples/books/stages/index.ts'
import { textStages, type TextStage } from '../../examples/books/stages/stage.ts'

export function worked(text: string, upTo: TextStage = 'polish'): MemoryBook {
  const book = new MemoryBook(newBook('a-book'))
  for (const name of textStages.slice(0, textStages.indexOf(upTo) + 1))
    for (const change of textStage(name).work(text, book)) book.apply(change)
  return book
}

/** Filling that no stage takes for anything else. */
export const prose = [
  'It was a bright cold day in the village, and the baker had already swept the step before his door',
  'when the first of the carts came down the hill; nobody in it said a word, and nobody asked why it was',
  'so early, or where the horse had lost its bell.',
].join('\n')

/** Where each entry is linked to, as the line of the text that stands there. */
export function linkedLines(text: string, book: MemoryBook): string[] {
  return book.entries.map(({ start }) =>
    start === null ? 'nowhere' : (text.slice(start).split('\n')[0] ?? '').trim(),
  )
}
