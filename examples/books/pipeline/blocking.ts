/**
 * The way it was: memory is only a copy. Each stage writes what it found row by row and waits for each commit, and the
 * next stage begins when the last row is in the database.
 */
import type { Source } from '../library.ts'
import { MemoryBook, newBook } from '../state.ts'
import { workOf } from '../stages/index.ts'
import { changeBook, isDone, stageNames, type Change } from '../stages/stage.ts'
import type { BookState } from '../tables.ts'
import { eachBook, firstStageOf, isNewJob, textOf, type Job } from './job.ts'
import { inSlices } from './turns.ts'

export async function runBlocking(job: Job): Promise<void> {
  await eachBook(job, (source) => runBook(job, source))
}

async function runBook(job: Job, source: Source): Promise<void> {
  const { db, journal } = job
  const { id, file } = source
  if (await isNewJob(job, source)) await journal.awaited(db.insert('jobs', { id, source: file }))
  const book = new MemoryBook(await load(job, id))
  let text: string | undefined
  for (const name of stageNames.slice(stageNames.indexOf(firstStageOf(source)))) {
    if (isDone(book.book, name)) continue
    journal.started(id, name)
    const changes: Change[] = []
    const work = workOf(name, file, () => (text ??= textOf(file, book)), book)
    await inSlices(work, (change) => {
      book.apply(change)
      changes.push(change)
    })
    journal.worked(id, name)
    const stage = changeBook({ stage: name })
    book.apply(stage)
    for (const change of [...changes, stage]) await journal.awaited(write(job, id, change))
  }
  journal.done(id)
}

async function load({ db, journal }: Job, id: string): Promise<BookState> {
  const { row } = await db.get('books', { id })
  if (row === undefined) {
    const book = newBook(id)
    await journal.awaited(db.insert('books', book.book))
    return book
  }
  const read = db.read('strong')
  const pages = await read.selectFrom('pages').selectAll().where('book', '=', id).orderBy('n').execute()
  const entries = await read.selectFrom('entries').selectAll().where('book', '=', id).orderBy('n').execute()
  const chapters = await read.selectFrom('chapters').selectAll().where('book', '=', id).orderBy('n').execute()
  return { book: row, pages, entries, chapters }
}

function write({ db }: Job, book: string, change: Change): PromiseLike<unknown> {
  switch (change.table) {
    case 'books':
      return db.update('books', { id: book }, change.set)
    case 'pages':
      if ('row' in change) return db.upsert('pages', { ...change.row, book })
      return db.update('pages', { book, n: change.n }, change.set)
    case 'entries':
      if ('row' in change) return db.upsert('entries', { ...change.row, book })
      return db.update('entries', { book, n: change.n }, change.set)
    case 'chapters':
      if ('row' in change) return db.upsert('chapters', { ...change.row, book })
      return db.update('chapters', { book, n: change.n }, change.set)
  }
}
