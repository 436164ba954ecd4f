/** Random histories of a scope, against a model: what memory shows, what the database holds, and what is left of it when its engine ends. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { open, type LiveScope, type Tidemark } from '../index.ts'
import { memory } from '../stores/memory/index.ts'
import type { MemoryStore } from '../stores/memory/store.ts'

interface DB {
  books: { id: string; stage: string; pages: number | null }
  chapters: { book: string; n: number; title: string | null; pages: number }
}
type Children = { readonly chapters: 'book' }
type Book = LiveScope<DB, 'books', Children>

const schema = `
  CREATE TABLE books (id TEXT PRIMARY KEY, stage TEXT NOT NULL CHECK (stage <> 'burnt'), pages INTEGER);
  CREATE TABLE chapters (
    book TEXT NOT NULL, n INTEGER NOT NULL, title TEXT, pages INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (book, n)
  );`

/** What memory shows: the row, and the chapters by number. */
interface State {
  readonly row: Omit<DB['books'], 'id'> | undefined
  readonly chapters: ReadonlyMap<number, Omit<DB['chapters'], 'book' | 'n'>>
}
const empty: State = { row: undefined, chapters: new Map() }

type Step =
  | { readonly kind: 'set'; readonly columns: Partial<Omit<DB['books'], 'id'>> }
  | { readonly kind: 'chapter'; readonly n: number; readonly title?: string | null; readonly pages: number }
  | { readonly kind: 'retitle'; readonly n: number; readonly title: string }
  | { readonly kind: 'delete'; readonly n: number }
  | { readonly kind: 'turn' | 'flush' | 'read' | 'reload' | 'close' | 'restart' | 'burn' }

const n = fc.integer({ min: 0, max: 4 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        columns: fc.record(
          { stage: fc.constantFrom('a', 'b', 'c'), pages: fc.option(fc.nat(99)) },
          { requiredKeys: [] },
        ),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record(
        {
          kind: fc.constant('chapter' as const),
          n,
          title: fc.option(fc.string({ maxLength: 4 }).map((text) => text.toWellFormed())),
          pages: fc.nat(9),
        },
        { requiredKeys: ['kind', 'n', 'pages'] },
      ),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('retitle' as const), n, title: fc.constantFrom('x', 'y') }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), n }) },
    {
      weight: 6,
      arbitrary: fc
        .constantFrom(
          'turn' as const,
          'turn' as const,
          'turn' as const,
          'flush' as const,
          'read' as const,
          'reload' as const,
          'close' as const,
          'restart' as const,
          'burn' as const,
        )
        .map((kind) => ({ kind })),
    },
  ),
  { maxLength: 60, size: 'max' },
)

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

class Subject {
  readonly #store: MemoryStore
  #db: Tidemark<DB> | undefined
  #book: Book | undefined
  /** Every state since the last that is known to be committed, which is the first. */
  #states: State[] = [empty]

  constructor() {
    // A history may take no longer than its commits.
    this.#store = memory({ schema }) as MemoryStore
  }

  async do(step: Step): Promise<void> {
    const book = await this.#opened()
    const { row, chapters } = this.#shown
    switch (step.kind) {
      case 'set':
        // A new row needs what may not be null.
        if (Object.keys(step.columns).length === 0 || (row === undefined && step.columns.stage === undefined))
          return
        book.set(step.columns)
        return this.#changed({ row: { stage: 'a', pages: null, ...row, ...step.columns }, chapters })
      case 'chapter': {
        const { kind: _, n: number, ...columns } = step
        book.rows('chapters').set({ n: number, ...columns })
        const whole = { title: null, ...chapters.get(number), ...columns }
        return this.#changed({ row, chapters: new Map([...chapters, [number, whole]]) })
      }
      case 'retitle': {
        const known = chapters.get(step.n)
        if (known === undefined) return
        book.rows('chapters').set({ n: step.n, title: step.title })
        return this.#changed({
          row,
          chapters: new Map([...chapters, [step.n, { ...known, title: step.title }]]),
        })
      }
      case 'delete':
        expect(book.rows('chapters').delete({ n: step.n })).toBe(chapters.has(step.n))
        return this.#changed({
          row,
          chapters: new Map([...chapters].filter(([number]) => number !== step.n)),
        })
      case 'turn':
        await turn()
        return this.#hold()
      case 'flush':
        await book.flush()
        this.#states = [this.#shown]
        return this.#hold()
      case 'read': {
        const rows = await this.#db?.read('strong').selectFrom('chapters').selectAll().execute()
        expect(rows).toHaveLength(chapters.size)
        this.#states = [this.#shown]
        return this.#hold()
      }
      case 'reload':
        await book.reload()
        this.#states = [this.#committed()]
        return
      case 'close':
        await book.close()
        this.#states = [this.#shown]
        this.#book = undefined
        return this.#hold()
      case 'restart': {
        // A newer engine of the name fences the older one, wherever that is.
        const before = this.#db
        this.#book = undefined
        this.#db = await this.#openEngine()
        this.#hold()
        this.#states = [this.#committed()]
        await before?.close({ timeoutMs: 0 }).catch(() => undefined)
        return this.#hold()
      }
      case 'burn':
        if (row === undefined) return
        book.set({ stage: 'burnt' })
        await turn()
        // Made on what is rejected: it must not be committed either.
        if (book.rejection === undefined) book.rows('chapters').set({ n: 99, pages: 1 })
        await expect(book.flush()).rejects.toMatchObject({ code: 'LIVE_REJECTED' })
        expect(() => book.row).toThrow('rejected')
        // One that was handed over before may be committed, and then it is all of it.
        this.#hold()
        await book.reload()
        this.#states = [this.#committed()]
        return
    }
  }

  /** Memory and model agree. */
  async look(): Promise<void> {
    const book = await this.#opened()
    const { row, chapters } = this.#shown
    expect(book.row).toEqual(row && { id: 'moby', ...row })
    const shown = book.rows('chapters').all()
    expect(new Map(shown.map(({ n: number, title, pages }) => [number, { title, pages }]))).toEqual(chapters)
    for (const [number, columns] of chapters)
      expect((await this.#db?.get('chapters', { book: 'moby', n: number }))?.row).toEqual({
        book: 'moby',
        n: number,
        ...columns,
      })
  }

  async end(): Promise<void> {
    await this.#db?.close()
    this.#states = [this.#shown]
    this.#hold()
    this.#store.database.close()
  }

  get #shown(): State {
    return this.#states.at(-1) ?? empty
  }

  #changed(state: State): void {
    this.#states.push(state)
  }

  /** What the database holds is a state that memory had, and none older than what is known to be committed. */
  #hold(): void {
    const committed = this.#committed()
    expect(this.#states).toContainEqual(committed)
  }

  #committed(): State {
    const { database } = this.#store
    const row = database.prepare('SELECT stage, pages FROM books').get() as State['row']
    const rows = database.prepare('SELECT n, title, pages FROM chapters').all() as unknown as DB['chapters'][]
    const chapters = rows.map(({ n: number, title, pages }) => [number, { title, pages }] as const)
    return { row: row && { ...row }, chapters: new Map(chapters) }
  }

  async #opened(): Promise<Book> {
    this.#db ??= await this.#openEngine()
    return (this.#book ??= await this.#db.live('books', { id: 'moby' }, { children: { chapters: 'book' } }))
  }

  #openEngine(): Promise<Tidemark<DB>> {
    return open<DB>(this.#store, { writer: 'job', batch: { lingerMs: 0 } })
  }
}

test('laws 2, 4 and 6 · whatever is done to a scope, it shows what was written to it, and the database holds a state that it had', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const subject = new Subject()
      for (const step of history) {
        await subject.do(step)
        await subject.look()
      }
      await subject.end()
    }),
    { numRuns: 100 },
  )
}, 60_000)
