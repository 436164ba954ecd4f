/** Who holds a live scope: one engine at a time, whose other writes keep off its rows; and what others are shown. */
import assert from 'node:assert/strict'
import { codeOf, committed, live, moby, children, tables } from './live-stage.ts'
import { next, range, stage, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

export const liveScopesHeld: Topic = (subject, test) => {
  if (subject.lacks?.includes('effects')) {
    test('live scopes cannot be looked at where the store cannot keep them', async () => {
      await using at = await stage(subject, 'CREATE TABLE books (id INTEGER PRIMARY KEY)')
      assert.equal(await codeOf(() => at.db.live.peek('books', { id: 1 })), 'NOT_SUPPORTED')
    })
    return
  }

  test('law 6 · this engine’s other writes to rows that a scope holds are refused at the call, and go through once it is closed', async () => {
    await using at = await stage(subject, tables)
    const book = await live(at.db)
    book.set({ stage: 'a' })
    book.rows('notes').set({ id: 5, body: 'x' })
    await book.flush()
    const writes: readonly ((db: AnyTidemark) => unknown)[] = [
      (db) => db.update('books', moby, { stage: 'b' }),
      (db) => db.upsert('books', { ...moby, stage: 'b' }),
      (db) => db.delete('books', moby),
      (db) => db.insert('chapters', { book: 'moby', n: 9, title: 'x' }),
      (db) => db.update('chapters', { book: 'moby', n: 9 }, { title: 'y' }),
      (db) => db.insert('notes', { id: 6, book: 'moby' }),
      (db) => db.update('notes', { id: 5 }, { body: 'y' }),
      (db) => db.delete('notes', { id: 5 }),
      (db) => db.update('notes', { id: 7 }, { book: 'moby' }),
      (db) => db.atomic((group) => group.update('books', moby, { stage: 'b' })),
      (db) => db.insertMany('chapters', [{ book: 'moby', n: 9, title: 'x' }], { atomic: false }),
      (db) => db.session().update('books', moby, { stage: 'b' }),
    ]
    const { seq } = at.db.stats().tidemark
    for (const [index, write] of writes.entries())
      assert.equal(await codeOf(() => write(at.db)), 'LIVE_HELD', `write ${index}`)
    await at.db.flush()
    assert.equal(at.db.stats().queued.operations, 0)
    assert.ok(at.db.stats().tidemark.seq - seq < 3, 'nothing was queued but signs of life')
    // Nor does it come from the dead letters.
    book.set({ stage: 'burnt' })
    await book.flush().catch(() => undefined)
    await book.reload()
    const [letter] = await at.db.deadLetters()
    assert.equal(await codeOf(() => at.db.redrive([letter?.id ?? 0])), 'LIVE_HELD')
    // Others are nobody's business.
    await at.db.insert('books', { id: 'other', stage: 'a' })
    await at.db.insert('notes', { id: 8, book: 'other' })
    await book.close()
    await at.db.update('books', moby, { stage: 'b' }, { expect: 1 })
    await at.db.insert('notes', { id: 6, book: 'moby' })
  })

  test('rows with a key of their own are found by it, and by their parent', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('notes', { id: 1, book: 'moby', body: 'before' })
    await at.db.insert('notes', { id: 2, book: 'other', body: 'not mine' })
    const book = await live(at.db)
    assert.deepEqual(book.rows('notes').all(), [{ id: 1, book: 'moby', body: 'before' }])
    book.rows('notes').set({ id: 3, body: 'mine' })
    assert.deepEqual((await at.db.get('notes', { id: 3 })).row, { id: 3, book: 'moby', body: 'mine' })
    assert.deepEqual((await at.db.get('notes', { id: 2 })).row, { id: 2, book: 'other', body: 'not mine' })
    assert.equal(at.db.pending('notes', { id: 3 }) === undefined, book.isSaved)
    book.rows('notes').delete({ id: 1 })
    assert.deepEqual((await at.db.get('notes', { id: 1 })).row, undefined)
    await book.close()
    assert.deepEqual(await at.rows('SELECT id, book FROM notes ORDER BY id'), [
      { id: 2, book: 'other' },
      { id: 3, book: 'moby' },
    ])
  })

  // SPEC S2.3
  test('law 6 · `peek` shows what memory has where the scope is open, else what the database has', async () => {
    await using at = await stage(subject, tables)
    const before = await at.db.live.peek('books', moby, { children })
    assert.deepEqual(before, {
      from: 'database',
      row: undefined,
      children: { chapters: [], notes: [] },
      isSaved: true,
      lagMs: 0,
    })
    const book = await live(at.db)
    book.set({ stage: 'a', pages: 1 })
    const during = await at.db.live.peek('books', moby, { children })
    assert.deepEqual([during.from, during.row, during.lagMs], ['memory', book.row, 0])
    await book.close()
    const after = await at.db.live.peek('books', moby)
    assert.deepEqual(
      [after.from, after.row?.['stage'], after.isSaved, after.lagMs],
      ['database', 'a', true, 0],
    )
  })

  test('one engine’s scope is one, however often it is asked for', async () => {
    await using at = await stage(subject, tables)
    const [some, others] = await Promise.all([live(at.db), live(at.db)])
    some.set({ stage: 'a' })
    assert.deepEqual(others.row, some.row)
    assert.equal(at.db.live.stats().scopes, 1)
    assert.equal(await codeOf(() => at.db.live('books', moby)), 'nothing', 'with fewer tables it is the same')
    await some.close()
    const bare = await at.db.live('books', moby)
    assert.equal(await codeOf(() => live(at.db)), 'INVALID_CALL', 'but not with more')
    await bare.close()
  })

  test('law 3 · another engine waits until a scope is closed, and meets what was committed', async () => {
    await using at = await stage(subject, tables)
    const other = await at.open()
    const book = await live(at.db)
    book.set({ stage: 'mine' })
    assert.equal(await codeOf(() => live(other, moby, 50)), 'LIVE_HELD')
    const peeked = await other.live.peek('books', moby)
    assert.equal(peeked.from, 'database')
    const waiting = live(other)
    book.set({ stage: 'last' })
    await book.close()
    const theirs = await waiting
    assert.deepEqual(theirs.row?.['stage'], 'last')
    assert.equal(await codeOf(() => live(at.db, moby, 0)), 'LIVE_HELD')
    await theirs.close()
  })

  test('law 3 · two engines that take a scope at once: one has it, the other waits', async () => {
    await using at = await stage(subject, tables)
    const other = await at.open()
    for (const round of range(5)) {
      const key = { id: `book ${round}` }
      const codes = await Promise.all([
        codeOf(() => live(at.db, key, 60)),
        codeOf(() => live(other, key, 60)),
      ])
      assert.deepEqual(codes.toSorted(), ['LIVE_HELD', 'nothing'])
    }
  })

  // SPEC S2.5
  test('law 2 · after its engine was fenced a scope shows nothing, and the next one shows what was committed', async () => {
    await using at = await stage(subject, tables, { writer: 'job' })
    const book = await live(at.db)
    book.set({ stage: 'committed', pages: 1 })
    await book.flush()
    const fenced = next(at.db, 'fenced')
    const restarted = await at.open({ writer: 'job' })
    book.set({ stage: 'never' })
    await fenced
    assert.equal(await codeOf(() => book.flush()), 'FENCED')
    assert.equal(await codeOf(() => book.row), 'FENCED')
    const again = await live(restarted)
    assert.deepEqual(again.row, { id: 'moby', stage: 'committed', pages: 1 })
    again.set({ stage: 'goes on' })
    await again.close()
    assert.deepEqual(await committed(at), [{ id: 'moby', stage: 'goes on', chapters: 0 }])
  })
}
