/** What a stage is: it looks at a book's text and state, and says what to change. It knows of no database. */
import type { BookRow, BookState, ChapterRow, EntryRow, PageRow } from '../tables.ts'

/** One write: a row, or some of its columns. The book's key is filled in by whoever applies it. */
export type Change =
  | { readonly table: 'books'; readonly set: Partial<Omit<BookRow, 'id'>> }
  | RowChange<'pages', PageRow>
  | RowChange<'entries', EntryRow>
  | RowChange<'chapters', ChapterRow>

export type RowChange<Table extends string, Row extends { readonly book: string; readonly n: number }> =
  | { readonly table: Table; readonly row: Omit<Row, 'book'> }
  | {
      readonly table: Table
      readonly n: number
      readonly set: Partial<Omit<Row, 'book' | 'n'>>
    }

export interface Stage {
  readonly name: TextStage
  /** The same text and state give the same changes: it may be done again. */
  work(text: string, state: BookState): Iterable<Change>
}

export const textStages = [
  'metadata',
  'contents',
  'entries',
  'links',
  'chapters',
  'classification',
  'polish',
] as const
export type TextStage = (typeof textStages)[number]

/** In their order. A book that comes as text begins at the second. */
export const stageNames = ['ocr', ...textStages] as const
export type StageName = (typeof stageNames)[number]

/** Whether the book has this stage behind it, whoever did it. */
export function isDone(book: BookRow, stage: StageName): boolean {
  return stageNames.findIndex((name) => name === book.stage) >= stageNames.indexOf(stage)
}

/** Undefined behind the last. */
export function stageAfter(stage: StageName): StageName | undefined {
  return stageNames[stageNames.indexOf(stage) + 1]
}

/** Undefined before the first. */
export function stageBefore(stage: StageName): StageName | undefined {
  return stageNames[stageNames.indexOf(stage) - 1]
}

export function changeBook(set: Partial<Omit<BookRow, 'id'>>): Change {
  return { table: 'books', set }
}

/** A column that an earlier stage has filled. @throws when it did not */
export function known<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`no ${what} yet: its stage was not done`)
  return value
}
