/** The tables of the example, and one book with its children as the stages see it. */

/** One job for each book: the only row that whoever starts a job waits for. */
export interface JobRow {
  readonly id: string
  /** The file that the book is read from. */
  readonly source: string
}

export interface BookRow {
  readonly id: string
  /** The last stage whose work is in the row and its children; `new` before the first. */
  readonly stage: string
  readonly title: string | null
  readonly author: string | null
  readonly language: string | null
  readonly released: string | null
  /** Where the book begins and ends in its file, between what Project Gutenberg says of it. */
  readonly body_start: number | null
  readonly body_end: number | null
  readonly contents_kind: 'listed' | 'unlabelled' | 'headings' | null
  readonly contents_start: number | null
  readonly contents_end: number | null
}

/** One picture of a page, and what it says. Books that are text have none. */
export interface PageRow {
  readonly book: string
  readonly n: number
  readonly picture: string
  readonly text: string
  /** How sure the recognition is, of 100. */
  readonly confidence: number
}

/** One line of the table of contents. */
export interface EntryRow {
  readonly book: string
  readonly n: number
  readonly number: number | null
  readonly title: string
  /** As the contents have it. */
  readonly label: string
  readonly level: number
  /** Where its heading stands in the text, once it is linked; null when it was not found. */
  readonly start: number | null
  readonly end: number | null
}

export interface ChapterRow {
  readonly book: string
  readonly n: number
  /** The entry whose heading it stands under. Null: under none. */
  readonly entry: number | null
  readonly title: string
  readonly level: number
  readonly start: number
  readonly end: number
  readonly words: number
  readonly hash: string
  readonly class: ChapterClass | null
  readonly class_reason: string | null
  readonly text: string | null
  readonly text_hash: string | null
}

export type ChapterClass = 'front' | 'body' | 'back' | 'notes' | 'division' | 'licence'

export interface DB {
  jobs: JobRow
  books: BookRow
  pages: PageRow
  entries: EntryRow
  chapters: ChapterRow
}

/** Everything known of one book. */
export interface BookState {
  readonly book: BookRow
  readonly pages: readonly PageRow[]
  readonly entries: readonly EntryRow[]
  readonly chapters: readonly ChapterRow[]
}

export const schema = `
  CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, source TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS books (
    id TEXT PRIMARY KEY, stage TEXT NOT NULL, title TEXT, author TEXT, language TEXT, released TEXT,
    body_start INTEGER, body_end INTEGER, contents_kind TEXT, contents_start INTEGER, contents_end INTEGER
  );
  CREATE TABLE IF NOT EXISTS pages (
    book TEXT NOT NULL, n INTEGER NOT NULL, picture TEXT NOT NULL, text TEXT NOT NULL, confidence REAL NOT NULL,
    PRIMARY KEY (book, n)
  );
  CREATE TABLE IF NOT EXISTS entries (
    book TEXT NOT NULL, n INTEGER NOT NULL, number INTEGER, title TEXT NOT NULL, label TEXT NOT NULL,
    level INTEGER NOT NULL, start INTEGER, "end" INTEGER, PRIMARY KEY (book, n)
  );
  CREATE TABLE IF NOT EXISTS chapters (
    book TEXT NOT NULL, n INTEGER NOT NULL, entry INTEGER, title TEXT NOT NULL, level INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, words INTEGER NOT NULL, hash TEXT NOT NULL,
    class TEXT, class_reason TEXT, text TEXT, text_hash TEXT, PRIMARY KEY (book, n)
  );`
