/** S2: what the pipeline's memory shows while the database is held back, and which commits are waited for. */
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { committing } from '../../examples/books/delayed.ts'
import { runBlocking } from '../../examples/books/pipeline/blocking.ts'
import { Journal, type Moment } from '../../examples/books/pipeline/journal.ts'
import { runMemoryFirst } from '../../examples/books/pipeline/memory-first.ts'
import { createTables } from '../../examples/books/run.ts'
import { serveStatus } from '../../examples/books/status.ts'
import type { DB } from '../../examples/books/tables.ts'
import { open, sqlite, type Store, type Tidemark } from '../../examples/books/tidemark.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { booksDone } from './books-command.ts'
import { prose } from './books-worked.ts'

// SPEC S2.1, S2.3
test('while a job runs its status is what memory has, before the database has it; elsewhere, and afterwards, what the database has', async () => {
  const { database, source } = aBook()
  const gate = new Gate()
  const db = await opened(gate.before(sqlite(database)))
  // Before the engine is closed, which waits for its commits.
  onTestFinished(() => gate.open())
  const server = await serveStatus(db, 0)
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/books/cart`

  const shut = Promise.withResolvers<void>()
  const journal = new Journal((moment) => {
    if (moment.kind !== 'worked' || moment.stage !== 'links') return
    gate.shut()
    shut.resolve()
  })
  const running = runMemoryFirst({ db, sources: [source], atOnce: 1, journal })
  await shut.promise
  expect(await (await fetch(url)).json()).toMatchObject({
    from: 'memory',
    isSaved: false,
    book: { stage: 'links', title: 'The Cart' },
    entries: { found: 3, linked: 3 },
  })
  expect(look(database, 'SELECT stage FROM books'), 'the database follows').toEqual([{ stage: 'entries' }])
  const elsewhere: unknown = JSON.parse(await booksDone('status', 'cart', '--database', database))
  expect(elsewhere).toMatchObject({ from: 'database', book: { stage: 'entries' }, entries: { found: 3 } })

  gate.open()
  await running
  const done: unknown = await (await fetch(url)).json()
  expect(done).toMatchObject({ from: 'database', isSaved: true, book: { stage: 'polish' } })
})

// SPEC S2.6
test('of all commits only that of the job record is awaited; written the blocking way, that of every row', async () => {
  const counts: Record<string, { readonly awaited: number; readonly counted: number }> = {}
  for (const [way, run] of Object.entries({ runMemoryFirst, runBlocking })) {
    const { database, source } = aBook()
    const awaits = countingAwaits(await opened(sqlite(database)))
    const moments: Moment[] = []
    const journal = new Journal((moment) => moments.push(moment))
    await run({ db: awaits.db, sources: [source], atOnce: 1, journal })
    expect(moments.at(-1)).toEqual({ kind: 'done', book: 'cart' })
    counts[way] = { awaited: awaits.count(), counted: journal.awaitedWrites }
  }
  expect(counts['runMemoryFirst']).toEqual({ awaited: 1, counted: 1 })
  // The job, the book, two columns of it, seven stages; three entries, their links; four chapters, three times.
  expect(counts['runBlocking']).toEqual({ awaited: 29, counted: 29 })
})

/** A short book in a file of its own, and a database for it. */
function aBook() {
  const folder = temporaryFolder()
  const chapters = ['I. The Mail', 'II. The Inn', 'III. The Door'].map(
    (title) => `${title}\n\n${prose}\n\n${prose}`,
  )
  const file = path.join(folder, 'cart.txt')
  writeFileSync(file, `[The Cart by A. Baker 1871]\n\n${prose}\n\n\n${chapters.join('\n\n\n')}\n`)
  const database = path.join(folder, 'books.db')
  createTables(database)
  return { database, source: { id: 'cart', file } }
}

async function opened(store: Store): Promise<Tidemark<DB>> {
  const db = await open<DB>(store, { writer: 'books' })
  onTestFinished(() => db.close())
  return db
}

/** Commits wait before it while it is shut. */
class Gate {
  #opening = Promise.withResolvers<void>()

  constructor() {
    this.#opening.resolve()
  }

  shut(): void {
    this.#opening = Promise.withResolvers<void>()
  }

  open(): void {
    this.#opening.resolve()
  }

  before(store: Store): Store {
    return committing(store, 'behind a gate', async (commit) => {
      await this.#opening.promise
      return commit()
    })
  }
}

/** The same engine, which counts the receipts that somebody awaits. */
function countingAwaits(real: Tidemark<DB>): { readonly db: Tidemark<DB>; count(): number } {
  const writes = new Set<string | symbol>([
    'insert',
    'insertMany',
    'upsert',
    'update',
    'delete',
    'write',
    'enqueue',
    'atomic',
  ])
  let awaited = 0
  const counted = (receipt: object): object =>
    new Proxy(receipt, {
      get(target, name) {
        if (name === 'then') awaited++
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  const db = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function' || name === 'live') return value
      if (!writes.has(name)) return value.bind(target) as unknown
      return (...given: unknown[]): object => counted(Reflect.apply(value, target, given) as object)
    },
  })
  return { db, count: () => awaited }
}
