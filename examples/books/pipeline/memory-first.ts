/**
 * Memory is the truth while a job runs: each stage changes a live scope, which every reader sees at once and the
 * database follows. No stage waits for a write. The effect that starts the next stage is enqueued behind the changes of
 * this one, so it is committed with the last of them, and a run that is killed anywhere goes on there.
 */
import type { Source } from '../library.ts'
import { newBook } from '../state.ts'
import { workOf } from '../stages/index.ts'
import {
  isDone,
  stageAfter,
  stageNames,
  type Change,
  type RowChange,
  type StageName,
} from '../stages/stage.ts'
import type { BookState, DB } from '../tables.ts'
import type { Effect, Tidemark } from '../tidemark.ts'
import { eachBook, firstStageOf, isNewJob, textOf, type Job } from './job.ts'
import { inSlices } from './turns.ts'

/** The tables of a book's children, and the column that holds the book's key. */
export const children = { pages: 'book', entries: 'book', chapters: 'book' } as const

/** Resolves when all books are done and committed. */
export async function runMemoryFirst(job: Job): Promise<void> {
  const { db, journal } = job
  const books = new Books(job)
  for (const name of stageNames) {
    const handler = async (effects: readonly Effect[]): Promise<void> => {
      await Promise.all(effects.map((effect) => books.do(name, effect)))
    }
    // A book for itself: none waits for the stage of another. Recognition takes seconds a page.
    await db.effects.handle(name, handler, { batch: 1, concurrency: 64, timeoutMs: 3_600_000 })
  }
  await eachBook(job, async (source) => {
    const { id, file } = source
    const effects = [{ kind: firstStageOf(source), key: id, payload: file }]
    if (await isNewJob(job, source))
      await journal.awaited(db.insert('jobs', { id, source: file }, { effects }))
    await books.done(source)
  })
}

class Books {
  readonly #job: Job
  readonly #texts = new Map<string, string>()
  readonly #done = new Map<string, PromiseWithResolvers<void>>()

  constructor(job: Job) {
    this.#job = job
  }

  /** One stage of one book. What failed fails the run too, and is tried again by the next one. */
  async do(name: StageName, effect: Effect): Promise<void> {
    try {
      await this.#do(name, effect)
    } catch (error) {
      this.#waitingFor(effect.key ?? '').reject(error)
      throw error
    }
  }

  /** It may come again after a crash: what is done is not done again. */
  async #do(name: StageName, { key: id = '', payload }: Effect): Promise<void> {
    const { db, journal } = this.#job
    const book = await openBook(db, id)
    const state = book.state()
    if (!isDone(state.book, name)) {
      const file = fileOf(payload)
      journal.started(id, name)
      const work = workOf(name, file, () => this.#textOf(file, state), state)
      await inSlices(work, (change) => book.apply(change))
      book.finish(name, payload)
      journal.worked(id, name)
    }
    // Only the acknowledgement waits for the commit, and would by itself; here a change that is rejected fails the stage.
    await book.flush()
    if (stageAfter(name) === undefined) await this.#end(id, fileOf(payload), book)
  }

  /** Resolves when the last stage is committed, by this run or by an earlier one. */
  async done({ id }: Source): Promise<void> {
    const waiting = this.#waitingFor(id)
    const { row } = await this.#job.db.get('books', { id })
    if (row !== undefined && isDone(row, 'polish')) waiting.resolve()
    await waiting.promise
  }

  async #end(id: string, file: string, book: LiveBook): Promise<void> {
    await book.close()
    this.#texts.delete(file)
    this.#job.journal.done(id)
    this.#waitingFor(id).resolve()
  }

  #textOf(file: string, state: BookState): string {
    const text = this.#texts.get(file) ?? textOf(file, state)
    this.#texts.set(file, text)
    return text
  }

  #waitingFor(id: string): PromiseWithResolvers<void> {
    const known = this.#done.get(id)
    if (known !== undefined) return known
    const waiting = Promise.withResolvers<void>()
    // Whoever waits is told; of a book that an earlier run left, that may be nobody.
    waiting.promise.catch(() => undefined)
    this.#done.set(id, waiting)
    return waiting
  }
}

function fileOf(payload: Effect['payload']): string {
  if (typeof payload === 'string') return payload
  throw new Error('an effect of a stage names the file of its book')
}

type LiveBook = Awaited<ReturnType<typeof openBook>>

/** The book's scope in the words of the stages. */
async function openBook(db: Tidemark<DB>, id: string) {
  const scope = await db.live('books', { id }, { children })
  const pages = scope.rows('pages')
  const entries = scope.rows('entries')
  const chapters = scope.rows('chapters')
  return {
    state: (): BookState => ({
      book: scope.row ?? newBook(id).book,
      pages: pages.all().toSorted(byNumber),
      entries: entries.all().toSorted(byNumber),
      chapters: chapters.all().toSorted(byNumber),
    }),
    apply: (change: Change): void => {
      if (change.table === 'books') scope.set({ ...(scope.row ?? newBook(id).book), ...change.set })
      else if (change.table === 'pages') pages.set(columnsOf(change))
      else if (change.table === 'entries') entries.set(columnsOf(change))
      else chapters.set(columnsOf(change))
    },
    finish: (stage: StageName, payload: Effect['payload']): void => {
      scope.set({ stage })
      const next = stageAfter(stage)
      if (next !== undefined) scope.enqueue({ kind: next, key: id, payload })
    },
    flush: () => scope.flush(),
    close: () => scope.close(),
  }
}

function columnsOf<R extends { readonly book: string; readonly n: number }>(change: RowChange<string, R>) {
  return 'row' in change ? change.row : { n: change.n, ...change.set }
}

function byNumber(a: { readonly n: number }, b: { readonly n: number }): number {
  return a.n - b.n
}
