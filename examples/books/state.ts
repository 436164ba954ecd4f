/** A book in plain memory: what the blocking way of working keeps beside the database, and tests look at. */
import type { Change, RowChange } from './stages/stage.ts'
import type { BookRow, BookState, ChapterRow, EntryRow, PageRow } from './tables.ts'

export class MemoryBook implements BookState {
  book: BookRow
  readonly #pages: Map<number, PageRow>
  readonly #entries: Map<number, EntryRow>
  readonly #chapters: Map<number, ChapterRow>

  constructor(state: BookState) {
    this.book = state.book
    this.#pages = new Map(state.pages.map((row) => [row.n, row]))
    this.#entries = new Map(state.entries.map((row) => [row.n, row]))
    this.#chapters = new Map(state.chapters.map((row) => [row.n, row]))
  }

  get pages(): readonly PageRow[] {
    return [...this.#pages.values()]
  }

  get entries(): readonly EntryRow[] {
    return [...this.#entries.values()]
  }

  get chapters(): readonly ChapterRow[] {
    return [...this.#chapters.values()]
  }

  apply(change: Change): void {
    if (change.table === 'books') this.book = { ...this.book, ...change.set }
    else if (change.table === 'pages') applyTo(this.#pages, this.book.id, change)
    else if (change.table === 'entries') applyTo(this.#entries, this.book.id, change)
    else applyTo(this.#chapters, this.book.id, change)
  }
}

interface Row {
  readonly book: string
  readonly n: number
}

/** @throws when it changes a row that is not there */
function applyTo<R extends Row>(rows: Map<number, R>, book: string, change: RowChange<string, R>): void {
  if ('row' in change) {
    // The compiler does not see that a row without its book, and its book, are the row.
    const row = { ...change.row, book } as unknown as R
    rows.set(row.n, row)
    return
  }
  const row = rows.get(change.n)
  if (row === undefined) throw new Error(`row ${change.n} of ${book} is changed, and was never made`)
  rows.set(change.n, { ...row, ...change.set })
}

export function newBook(id: string): BookState {
  const book: BookRow = {
    id,
    stage: 'new',
    title: null,
    author: null,
    language: null,
    released: null,
    body_start: null,
    body_end: null,
    contents_kind: null,
    contents_start: null,
    contents_end: null,
  }
  return { book, pages: [], entries: [], chapters: [] }
}
