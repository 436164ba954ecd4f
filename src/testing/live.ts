/**
 * Live scopes: rows that are held in memory while a job works on them, where they are the truth, and the database
 * follows. What memory shows is what the database will be, or it says so.
 */
import assert from 'node:assert/strict'
import { open } from '../index.ts'
import { children, codeOf, committed, live, moby, tables } from './live-stage.ts'
import { pause, range, record, rowsOf, stage, turnOfTheLoop } from './stage.ts'
import type { Topic } from './subject.ts'

const state = 'SELECT pages, (SELECT count(*) FROM chapters) AS chapters FROM books'
const stateInSurrealQl = 'SELECT pages, array::len((SELECT VALUE n FROM `chapters`)) AS chapters FROM books'

export const liveScopes: Topic = (subject, runTest) => {
  if (subject.lacks?.includes('effects')) {
    runTest('live scopes are refused where the store cannot keep them, with a hint', async () => {
      await using at = await stage(subject, 'CREATE TABLE books (id INTEGER PRIMARY KEY)')
      assert.equal(await codeOf(() => at.db.live('books', { id: 1 })), 'NOT_SUPPORTED')
    })
    return
  }
  const test = (name: string, run: () => Promise<void>): unknown => runTest(name, run)

  // SPEC S2.1
  test('law 6 · a change is read at once, from the scope and by `get`, and by a strong read that began behind it', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    assert.deepEqual([book.row, book.rows('chapters').size, book.isSaved], [undefined, 0, true])
    book.set({ stage: 'links', pages: 600 })
    book.rows('chapters').set({ n: 1, title: 'Loomings' })
    assert.deepEqual(book.row, { id: 'moby', stage: 'links', pages: 600 })
    assert.deepEqual(book.rows('chapters').all(), [{ book: 'moby', n: 1, title: 'Loomings' }])
    assert.deepEqual(await at.db.get('books', moby), {
      row: { id: 'moby', stage: 'links', pages: 600 },
      pending: !book.isSaved,
    })
    book.set({ pages: 601 })
    assert.deepEqual(await rowsOf(at.db, 'SELECT pages FROM books', 'strong'), [{ pages: 601 }])
    assert.equal(book.isSaved, true)
    assert.deepEqual(await at.db.get('chapters', { book: 'moby', n: 1 }), {
      row: { book: 'moby', n: 1, title: 'Loomings' },
      pending: false,
    })
  })

  test('law 6 · `flush`, of the scope and of the engine, and `close` wait for what was changed before', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a' })
    await book.flush({ durable: true })
    assert.equal((await committed(at))[0]?.['stage'], 'a')
    book.set({ stage: 'b' })
    await at.db.flush()
    assert.equal((await committed(at))[0]?.['stage'], 'b')
    book.set({ stage: 'c' })
    await book.close()
    assert.equal((await committed(at))[0]?.['stage'], 'c')
    assert.equal(await codeOf(() => book.row), 'LIVE_ENDED')
    assert.equal(await codeOf(() => book.set({ stage: 'd' })), 'LIVE_ENDED')
  })

  test('law 6 · a session that was shown a change reads nothing older afterwards', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    for (const pages of range(20)) {
      book.set({ stage: 'links', pages })
      const session = at.db.session()
      assert.deepEqual((await session.get('books', moby)).row?.['pages'], pages)
      const [row] = await session.read().selectFrom('books').select('pages').execute()
      assert.equal(row?.['pages'], pages)
    }
  })

  test('law 4 · the database only ever holds states that memory had: all changes between two commits are one group', async () => {
    await using at = await stage(subject, tables, { batch: { lingerMs: 0 } })
    const book = await live(at.db)
    const writing = (async () => {
      for (const n of range(200)) {
        // Between the two it is half done, but no turn of the loop passes.
        book.set({ stage: 'chapters', pages: n + 1 })
        book.rows('chapters').set({ n, title: `chapter ${n}` })
        await turnOfTheLoop()
      }
    })()
    for (const _ of range(100)) {
      const [row] = await at.outside(subject.dialect === 'surrealql' ? stateInSurrealQl : state)
      assert.equal(Number(row?.['chapters'] ?? 0), Number(row?.['pages'] ?? 0))
      await turnOfTheLoop()
    }
    await writing
    await book.flush()
    assert.deepEqual(await committed(at), [{ id: 'moby', stage: 'chapters', chapters: 200 }])
  })

  if (subject.commits === 'async')
    test('a thousand changes of a row while a commit takes its time become one write', async () => {
      await using at = await stage(subject, tables)
      const book = await live(at.db)
      await at.db.flush()
      const resume = await pause(at.db)
      const before = at.db.live.stats()
      for (const pages of range(1_000)) book.set({ stage: `s${pages}`, pages })
      const flushed = book.flush()
      await resume()
      await flushed
      const { changes, written } = at.db.live.stats()
      assert.deepEqual([changes - before.changes, written - before.written], [1_000, 1])
      assert.deepEqual(await at.rows('SELECT stage, pages FROM books'), [{ stage: 's999', pages: 999 }])
    })

  test('rows that come and go are in the end what memory shows, in whatever order', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a' })
    const chapters = book.rows('chapters')
    for (const n of range(6)) chapters.set({ n, title: 'old' })
    await book.flush()
    assert.equal(chapters.delete({ n: 1 }), true)
    assert.equal(chapters.delete({ n: 1 }), false)
    chapters.set({ n: 1, title: 'again' })
    chapters.delete({ n: 2 })
    chapters.set({ n: 7, title: 'new' })
    chapters.delete({ n: 7 })
    chapters.set({ n: 8, title: 'new' })
    chapters.delete({ n: 8 })
    chapters.set({ n: 8, title: 'newer' })
    chapters.set({ n: 3, title: 'changed' })
    chapters.delete({ n: 3 })
    chapters.set({ n: 3, title: 'changed again' })
    const shown = chapters.all().toSorted((a, b) => Number(a['n']) - Number(b['n']))
    await book.flush()
    assert.deepEqual(await at.rows('SELECT * FROM chapters ORDER BY n'), shown)
    assert.deepEqual(
      shown.map(({ n, title }) => `${String(n)} ${String(title)}`),
      ['0 old', '1 again', '3 changed again', '4 old', '5 old', '8 newer'],
    )
    await book.reload()
    assert.deepEqual(chapters.all(), shown)
  })

  // SPEC S2.1
  test('law 6 · a rejected change surfaces: the scope says so until it is reloaded, and others are shown what is committed', async () => {
    await using at = await stage(subject, tables)
    const rejects = record(at.db, 'reject')
    const book = await live(at.db)
    book.set({ stage: 'links' })
    book.rows('chapters').set({ n: 1, title: 'Loomings' })
    await book.flush()
    book.rows('chapters').set({ n: 2, title: 'lost with it' })
    book.set({ stage: 'burnt' })
    assert.equal(await codeOf(() => book.flush()), 'LIVE_REJECTED')
    assert.equal(book.rejection?.code, 'WRITE_REJECTED')
    for (const call of [
      () => book.row,
      () => book.set({ stage: 'x' }),
      () => book.rows('chapters').all(),
      () => book.rows('chapters').set({ n: 3, title: 'x' }),
      () => book.enqueue({ kind: 'embed' }),
      () => book.flush(),
    ])
      assert.equal(await codeOf(call), 'LIVE_REJECTED')
    assert.equal(rejects.length, 1)
    assert.equal(at.db.live.stats().unsaved, 0, 'nobody waits for what will not be')
    assert.equal((await at.db.deadLetters()).length, 1, 'what was rejected is kept')
    assert.deepEqual((await at.db.get('books', moby)).row?.['stage'], 'links')
    const peeked = await at.db.live.peek('books', moby, { children })
    assert.deepEqual(
      [peeked.from, peeked.row?.['stage'], peeked.children.chapters.length],
      ['database', 'links', 1],
    )
    await book.reload()
    assert.deepEqual(book.row, { id: 'moby', stage: 'links', pages: null })
    assert.equal(book.rows('chapters').size, 1)
    assert.equal(book.rejection, undefined)
    book.set({ stage: 'polish' })
    await book.flush()
    assert.deepEqual(await committed(at), [{ id: 'moby', stage: 'polish', chapters: 1 }])
  })

  test('law 6 · a row that somebody deleted beside the scope makes its next change fail, and is not made anew', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a', pages: 1 })
    await book.flush()
    await at.outside('DELETE FROM books')
    book.set({ pages: 2 })
    assert.equal(await codeOf(() => book.flush()), 'LIVE_REJECTED')
    assert.deepEqual(await committed(at), [])
  })

  test('law 8 · effects of a scope are committed with what it had changed, and not when that is rejected', async () => {
    await using at = await stage(subject, tables)
    const got: unknown[] = []
    const all = Promise.withResolvers<void>()
    await at.db.effects.handle('stage', async (effects) => {
      for (const { payload, key } of effects) got.push([key, payload])
      if (got.length === 2) all.resolve()
    })
    const book = await live(at.db)
    book.set({ stage: 'links' })
    book.enqueue({ kind: 'stage', key: 'moby', payload: 'first' })
    await book.flush()
    book.set({ stage: 'burnt' })
    book.enqueue({ kind: 'stage', key: 'moby', payload: 'never' })
    await book.flush().catch(() => undefined)
    await book.reload()
    // Without any change too.
    book.enqueue({ kind: 'stage', key: 'moby', payload: 'second' })
    await all.promise
    assert.deepEqual(got, [
      ['moby', 'first'],
      ['moby', 'second'],
    ])
  })

  test('law 5 · a change while a scope is closed or reloaded is refused, not lost', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a', pages: 1 })
    const reloaded = book.reload()
    assert.equal(await codeOf(() => book.set({ pages: 2 })), 'LIVE_ENDED')
    await reloaded
    book.set({ stage: 'a', pages: 3 })
    const closed = book.close()
    for (const call of [
      () => book.set({ pages: 4 }),
      () => book.rows('chapters').delete({ n: 1 }),
      () => book.enqueue({ kind: 'embed' }),
    ])
      assert.equal(await codeOf(call), 'LIVE_ENDED')
    await closed
    assert.deepEqual(await at.rows('SELECT pages FROM books'), [{ pages: 3 }])
    assert.equal(await codeOf(() => book.reload()), 'LIVE_ENDED')
    await book.close()
    // Who asks for one that was rejected gets it as it is, to reload it.
    const again = await live(at.db)
    again.set({ stage: 'burnt' })
    await again.flush().catch(() => undefined)
    assert.equal((await live(at.db)).rejection?.code, 'WRITE_REJECTED')
    await again.close().catch(() => undefined)
    assert.deepEqual((await live(at.db)).row?.['stage'], 'a')
  })

  test('law 8 · an effect counts as done only behind what its handler has changed in a scope', async () => {
    // Nobody waits for the scope, which would take its time.
    await using at = await stage(subject, tables, { batch: { lingerMs: 60_000 } })
    const book = await live(at.db)
    await at.db.effects.handle('stage', async (effects) => {
      for (const { payload } of effects) book.set({ stage: payload })
    })
    for (const payload of ['links', 'polish']) {
      const receipt = at.db.enqueue({ kind: 'stage', key: 'moby', payload })
      await at.db.effects.reached('stage', receipt.bookmark, { timeoutMs: 30_000 })
      assert.deepEqual(await committed(at), [{ id: 'moby', stage: payload, chapters: 0 }])
    }
  })

  test('law 7 · memory is bounded: scopes that are saved make room, those that are not never do', async () => {
    await using at = await stage(subject, tables, { live: { maxRows: 10 } })
    const first = await live(at.db, { id: 'first' })
    first.set({ stage: 'a' })
    await first.flush()
    for (const n of range(12)) {
      const book = await live(at.db, { id: `book ${n}` })
      book.set({ stage: 'a' })
      await book.flush()
    }
    const { scopes, rows, evicted } = at.db.live.stats()
    assert.ok(rows <= 10 && evicted > 0 && scopes < 13, `${rows} rows, ${evicted} evicted, ${scopes} scopes`)
    assert.equal(await codeOf(() => first.row), 'LIVE_ENDED')
    assert.deepEqual((await live(at.db, { id: 'first' })).row?.['stage'], 'a')

    const big = await live(at.db, { id: 'big' })
    const resume = await pause(at.db)
    const fill = (): void => {
      for (const n of range(20)) big.rows('chapters').set({ n, title: 'x' })
    }
    assert.equal(await codeOf(fill), 'LIVE_FULL')
    const { size } = big.rows('chapters')
    assert.ok(size > 0 && size <= 10, `${size} rows`)
    await resume()
    await big.flush()
    assert.deepEqual(await at.value(`SELECT count(*) FROM chapters WHERE book = 'big'`), size)
  })

  test('law 9 · `close` of the engine commits what scopes have changed, and lets them go', async () => {
    await using at = await stage(subject, tables)
    const worker = await at.open()
    const books = await Promise.all(range(50).map((n) => live(worker, { id: `book ${n}` })))
    for (const book of books) book.set({ stage: 'last words' })
    await worker.close()
    assert.deepEqual(await at.value(`SELECT count(*) FROM books WHERE stage = 'last words'`), 50)
    assert.deepEqual(await at.value('SELECT count(*) FROM tidemark_scopes'), 0)
    assert.equal(await codeOf(() => books[0]?.set({ stage: 'more' })), 'LIVE_ENDED')
    assert.equal(await codeOf(() => live(worker)), 'CLOSED')
  })

  test('law 9 · a flush that waits while the engine closes is told of its commit', async () => {
    await using at = await stage(subject, tables)
    const worker = await at.open()
    const books = await Promise.all(range(5).map((n) => live(worker, { id: `book ${n}` })))
    for (const book of books) book.set({ stage: 'a' })
    const flushed = Promise.all(books.map((book) => book.flush()))
    await Promise.all([worker.close(), flushed])
    assert.deepEqual(await at.value('SELECT count(*) FROM books'), 5)
    assert.equal(await codeOf(() => books[0]?.flush()), 'LIVE_ENDED')
  })

  test('a table that gets a column is held as it is now; one that is gone ends the scope', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a' })
    await book.flush()
    await at.outside('ALTER TABLE books ADD COLUMN note TEXT')
    await at.db.reloadSchema()
    book.set({ note: 'new' })
    assert.deepEqual(book.row, { id: 'moby', stage: 'a', pages: null, note: 'new' })
    await book.flush()
    assert.deepEqual(await at.rows('SELECT stage, note FROM books'), [{ stage: 'a', note: 'new' }])
    await at.outside('DROP TABLE notes')
    await at.db.reloadSchema()
    assert.equal(await codeOf(() => book.set({ note: 'newer' })), 'LIVE_ENDED')
    const bare = await at.db.live('books', moby)
    assert.equal(bare.row?.['note'], 'new')
  })

  test('what the database makes of a row by itself is read back', async () => {
    await using at = await stage(subject, [
      `CREATE TABLE books (id TEXT PRIMARY KEY, stage TEXT DEFAULT 'new', pages INTEGER)`,
      `CREATE TABLE chapters (
        book TEXT NOT NULL, n INTEGER NOT NULL, title TEXT DEFAULT 'untitled', pages INTEGER, PRIMARY KEY (book, n))`,
      ...tables.slice(2),
    ])
    const book = await live(at.db)
    book.set({ pages: 1 })
    await book.flush()
    assert.deepEqual(book.row, { id: 'moby', stage: 'new', pages: 1 })
    book.set({ pages: 2 })
    assert.deepEqual(book.row, { id: 'moby', stage: 'new', pages: 2 })
    await book.flush()
    assert.deepEqual(await at.rows('SELECT * FROM books'), [{ id: 'moby', stage: 'new', pages: 2 }])
    // Also of a row that has changed again when it is committed.
    const chapter = { n: 1 }
    book.rows('chapters').set({ ...chapter, pages: 1 })
    const flushed = book.flush()
    book.rows('chapters').set({ ...chapter, pages: 2 })
    await flushed
    await book.flush()
    assert.deepEqual(book.rows('chapters').get(chapter), { book: 'moby', n: 1, title: 'untitled', pages: 2 })
  })

  test('law 1 · what is wrong is refused at the call, and changes nothing in memory', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a', pages: 1 })
    const wrong: readonly [string, () => unknown][] = [
      ['UNKNOWN_COLUMN', () => book.set({ colour: 'red' })],
      ['UNBINDABLE_VALUE', () => book.set({ pages: Number.NaN })],
      ['UNBINDABLE_VALUE', () => book.rows('chapters').set({ n: 1, title: '\ud800' })],
      ['INVALID_CALL', () => book.set({ id: 'other' })],
      ['INVALID_CALL', () => book.rows('chapters').set({ book: 'other', n: 1, title: 'x' })],
      ['INVALID_CALL', () => book.set(null as never)],
      ['MISSING_KEY', () => book.rows('chapters').set({ title: 'x' })],
      ['INVALID_CALL', () => book.rows('chapters').get({ book: 'other', n: 1 })],
      ['MISSING_KEY', () => book.rows('chapters').get({})],
      ['MISSING_KEY', () => book.rows('notes').delete({ body: 'x' })],
      ['INVALID_CALL', () => book.rows('books' as never)],
      ['UNKNOWN_TABLE', () => at.db.live('nowhere', { id: 1 })],
      ['MISSING_KEY', () => at.db.live('books', {})],
      ['UNKNOWN_COLUMN', () => at.db.live('books', { ...moby, colour: 'red' })],
      ['UNKNOWN_TABLE', () => at.db.live('books', { id: 'x' }, { children: { nowhere: 'book' } })],
      ['UNKNOWN_COLUMN', () => at.db.live('books', { id: 'x' }, { children: { notes: 'colour' } })],
      ['INVALID_CALL', () => at.db.live('books', { id: 'x' }, { children: { notes: ['book', 'id'] } })],
      ['INVALID_CALL', () => at.db.live('books', { id: 'x' }, { children: { books: 'id' } })],
      ['INVALID_CALL', () => at.db.live('books', { id: 'x' }, { timeoutMs: -1 })],
    ]
    for (const [index, [code, call]] of wrong.entries())
      assert.equal(await codeOf(call), code, `call ${index}`)
    assert.deepEqual(book.row, { id: 'moby', stage: 'a', pages: 1 })
    assert.deepEqual(book.rows('chapters').all(), [])
    await assert.rejects(
      open({} as never, { live: { maxRows: 0, maxBytes: -1 } }),
      /live\.maxRows.*live\.maxBytes/s,
    )
  })
}
