/** Preallocated ids: known when a row is accepted, and given to one row only, by whomever. */
import assert from 'node:assert/strict'
import { NotSupportedError, QueueFullError, type OpenOptions } from '../index.ts'
import { reasonOf, sqlDialects } from './sql.ts'
import { endings, next, pause, range, record, stage, type AnyTidemark, type Stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = [
  'CREATE TABLE songs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL)',
  `CREATE TABLE passages (id INTEGER PRIMARY KEY AUTOINCREMENT, song INTEGER NOT NULL, text TEXT,
     CONSTRAINT of_a_song FOREIGN KEY (song) REFERENCES songs (id))`,
  'CREATE TABLE verses (passage INTEGER, text TEXT, CONSTRAINT of_a_passage FOREIGN KEY (passage) REFERENCES passages (id))',
]
const ids: OpenOptions = { ids: { songs: 'preallocated', passages: 'preallocated' } }
/** Eight ids are in stock. */
const few: OpenOptions = { ...ids, queue: { maxOperations: 4 } }

const titles = 'SELECT id, title FROM songs ORDER BY id'
const title = (id: number | undefined) => ({ id, title: 'a' })

/** Every id is given once, to the row that its receipt says. */
async function assertGiven(at: Stage, told: readonly (number | undefined)[]): Promise<void> {
  const given = told.toSorted((a, b) => Number(a) - Number(b))
  assert.deepEqual(
    await at.rows("SELECT id, title FROM songs WHERE title = 'a' ORDER BY id"),
    given.map(title),
  )
}

/** Takes ids which no row gets: an atomic group that throws. */
function waste(db: AnyTidemark, count: number): void {
  assert.throws(() =>
    db.atomic((group) => {
      for (const _ of range(count)) group.insert('songs', { title: 'wasted' })
      throw new Error('on purpose')
    }),
  )
}

/** Writes as soon as there is room, and an id for each row. */
async function whenReady<T>(db: AnyTidemark, write: () => T): Promise<T> {
  for (;;) {
    try {
      return write()
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      await db.ready()
    }
  }
}

/** @returns the id, while the row may still be pending */
function insertWhenReady(db: AnyTidemark): Promise<number | undefined> {
  return whenReady(db, () => db.insert('songs', { title: 'a' }).id)
}

export const preallocatedIds: Topic = (subject, test, onlyFor) => {
  if (subject.lacks?.includes('preallocated ids')) {
    test('where ids cannot be preallocated, opening says so, and lets go of the database', async () => {
      await using at = await stage(subject, tables, { writer: 'w' })
      await assert.rejects(at.open({ ...ids, writer: 'x' }), NotSupportedError)
      await at.db.insert('songs', { title: 'a' })
      assert.deepEqual(
        await at.outside("SELECT closed FROM tidemark_writers WHERE writer = 'x' AND closed = 0"),
        [],
      )
    })
    return
  }

  test('law 1 · a preallocated id is known when the call returns, and is that of the row', async () => {
    await using at = await stage(subject, tables, ids)
    const receipts = range(50).map(() => at.db.insert('songs', { title: 'a' }))
    const told = receipts.map(({ id }) => id)
    assert.ok(told.every((id) => Number.isSafeInteger(id)))
    assert.deepEqual(
      (await Promise.all(receipts)).map(({ id }) => id),
      told,
    )
    await assertGiven(at, told)
  })

  test('without preallocation a receipt tells the id once it is committed', async () => {
    await using at = await stage(subject, tables, { ids: { passages: 'preallocated' } })
    const receipt = at.db.insert('songs', { title: 'a' })
    if (subject.commits === 'async') assert.equal(receipt.id, undefined)
    const { id } = await receipt
    assert.equal(receipt.id, id)
    assert.deepEqual(await at.rows(titles), [title(id)])
    assert.equal(at.db.insertMany('songs', [{ title: 'b' }], { atomic: false }).id, undefined)
  })

  // SPEC S3.9
  onlyFor(
    sqlDialects,
    'law 4 · children name their parent before it is committed, in one group and apart',
    async () => {
      await using at = await stage(subject, tables, ids)
      const parent = at.db.insert('songs', { title: 'apart' })
      at.db.insert('passages', { song: parent.id, text: 'apart' })
      const group = at.db.atomic((tx) => {
        const song = tx.insert('songs', { title: 'together' })
        const passage = tx.insert('passages', { song: song.id, text: 'together' })
        assert.equal(tx.insert('verses', { passage: passage.id, text: 'together' }).id, undefined)
      })
      assert.equal(group.id, undefined)
      const pairs = await at.rows(
        'SELECT title, text FROM passages JOIN songs ON songs.id = passages.song ORDER BY songs.id',
      )
      assert.deepEqual(pairs, [
        { title: 'apart', text: 'apart' },
        { title: 'together', text: 'together' },
      ])
      assert.equal(
        await at.value('SELECT count(*) FROM verses JOIN passages ON passages.id = verses.passage'),
        1,
      )
    },
  )

  test('law 3 · engines, programs and statements that insert at once never get an id twice', async () => {
    await using at = await stage(subject, tables, few)
    const other = await at.open(few)
    const told: (number | undefined)[] = []
    for (const round of range(30)) {
      told.push(...(await Promise.all([at.db, other, at.db].map(insertWhenReady))))
      if (round % 5 === 0) await at.outside("INSERT INTO songs (title) VALUES ('outside')")
      const statement = { sql: "INSERT INTO songs (title) VALUES ('statement')", parameters: [] }
      if (round % 5 === 1) await whenReady(at.db, () => at.db.write(statement))
      const atomic = round % 2 === 0
      const many = range(2).map(() => ({ title: 'many' }))
      if (round % 5 === 2) await whenReady(other, () => other.insertMany('songs', many, { atomic }))
    }
    await other.flush()
    await assertGiven(at, told)
    assert.equal(await at.value('SELECT count(*) FROM songs'), 90 + 6 + 6 + 12)
    assert.deepEqual(await at.db.deadLetters(), [])
  })

  test('law 3 · what an engine has reserved, told or not, the next one does not give', async () => {
    await using at = await stage(subject, tables, { ...ids, writer: 'w' })
    const receipts = [at.db.insert('songs', { title: 'a' })]
    await at.db.flush()
    void pause(at.db).catch(() => undefined)
    const lost = range(3).map(() => at.db.insert('songs', { title: 'lost' }))
    await at.db.close({ timeoutMs: 1 }).catch(() => undefined)
    const later = await at.open({ ...ids, writer: 'w' })
    receipts.push(...range(5).map(() => later.insert('songs', { title: 'a' })))
    await later.flush()
    const told = [...receipts, ...lost].map(({ id }) => id)
    assert.equal(new Set(told).size, told.length)
    assert.deepEqual(
      await at.outside("SELECT id, title FROM songs WHERE title = 'a' ORDER BY id"),
      receipts.map(({ id }) => title(id)),
    )
  })

  test('law 3 · an engine that was fenced reserves nothing more, and stops', async () => {
    await using at = await stage(subject, tables, { ...few, writer: 'w' })
    const later = await at.open({ ...few, writer: 'w' })
    const fenced = next(at.db, 'fenced')
    waste(at.db, 5)
    assert.equal((await fenced).error.code, 'FENCED')
    assert.throws(() => at.db.insert('songs', { title: 'too late' }), { code: 'FENCED' })
    const { id } = await later.insert('songs', { title: 'a' })
    assert.deepEqual(await at.outside(titles), [title(id)])
  })

  if (subject.commits === 'async') {
    test('law 7 · ids that are used up are a full queue, until there are more', async () => {
      await using at = await stage(subject, tables, few)
      const events = record(at.db, 'backpressure')
      waste(at.db, 8)
      assert.throws(
        () => at.db.insert('songs', { title: 'refused' }),
        (error: unknown) =>
          error instanceof QueueFullError &&
          error.retryAfterMs > 0 &&
          /ids of table "songs"/.test(error.message),
      )
      assert.equal(at.db.isFull, true)
      // Other tables have what they need.
      at.db.insert('verses', { text: 'accepted' })
      await at.db.ready()
      assert.equal(at.db.isFull, false)
      const id = await insertWhenReady(at.db)
      assert.deepEqual(
        events.map(({ isFull }) => isFull),
        [true, false],
      )
      await assertGiven(at, [id])
    })
  } else {
    test('law 7 · where a store answers at once, ids are never used up', async () => {
      await using at = await stage(subject, tables, few)
      for (const _ of range(10)) waste(at.db, 7)
      await assertGiven(
        at,
        range(100).map(() => at.db.insert('songs', { title: 'a' }).id),
      )
    })
  }

  test('law 7 · a producer at full speed meets a full queue, and no table without ids', async () => {
    await using at = await stage(subject, tables, {
      ...ids,
      queue: { maxOperations: 40 },
      batch: { maxOperations: 10 },
    })
    const told: (number | undefined)[] = []
    while (told.length < 2_000) {
      try {
        told.push(at.db.insert('songs', { title: 'a' }).id)
      } catch (error) {
        assert.match((error as Error).message, /the queue holds/)
        await at.db.ready()
      }
    }
    await assertGiven(at, told)
  })

  test('law 7 · while a transaction is open there are as many ids as the queue has room', async () => {
    const queue = { maxOperations: 40 }
    await using at = await stage(subject, tables, { ...ids, queue, batch: { maxOperations: 10 } })
    const told: (number | undefined)[] = []
    for (const _ of range(10)) {
      const resume = await pause(at.db)
      told.push(...range(40).map(() => at.db.insert('songs', { title: 'a' }).id))
      await resume()
      await at.db.flush()
    }
    await assertGiven(at, told)
  })

  test('law 6 · a row is found by its preallocated key as soon as it is accepted', async () => {
    await using at = await stage(subject, tables, ids)
    const { id } = at.db.insert('songs', { title: 'a' })
    if (subject.commits === 'async') assert.equal(at.db.pending('songs', { id })?.operations, 1)
    assert.deepEqual((await at.db.get('songs', { id })).row, title(id))
    at.db.update('songs', { id }, { title: 'b' })
    at.db.upsert('songs', { id, title: 'c' })
    assert.deepEqual((await at.db.get('songs', { id })).row, { id, title: 'c' })
    assert.deepEqual(await at.rows(titles), [{ id, title: 'c' }])
  })

  test('law 1 · an id of the caller’s own is refused at the call, and uses none', async () => {
    await using at = await stage(subject, tables, ids)
    const before = at.db.insert('songs', { title: 'a' })
    const refused = { code: 'INVALID_CALL', message: /column "id" of table "songs" .* preallocated/ }
    for (const id of [before.id, 1_000_000, null, 'text']) {
      assert.throws(() => at.db.insert('songs', { id, title: 'b' }), refused)
      assert.throws(() => at.db.insertMany('songs', [{ title: 'b', id }]), refused)
    }
    assert.throws(() => at.db.insert('songs', { title: Number.NaN }), { code: 'UNBINDABLE_VALUE' })
    const after = at.db.insert('songs', { title: 'a' })
    assert.equal(after.id, Number(before.id) + 1)
    await assertGiven(at, [before.id, after.id])
  })

  test('sessions, streams and rows that stand alone get their ids too', async () => {
    await using at = await stage(subject, tables, ids)
    const { id } = at.db.session().insert('songs', { title: 'a' })
    assert.ok(id !== undefined)
    await at.db.insertMany('songs', [{ title: 'b' }, { title: null }, { title: 'd' }], { atomic: false })
    const stream = at.db.writable('songs')
    stream.write({ title: 'e' })
    await new Promise<void>((resolve) => void stream.end(resolve))
    assert.deepEqual(
      await at.rows(titles),
      ['a', 'b', 'd', 'e'].map((text, index) => ({ id: id + index + (index > 1 ? 1 : 0), title: text })),
    )
  })

  onlyFor(
    sqlDialects,
    'law 5 · children of a rejected parent are dead letters that say by which, and are written again after it',
    async () => {
      await using at = await stage(subject, tables, ids)
      const parent = at.db.insert('songs', { title: null })
      const child = at.db.insert('passages', { song: parent.id, text: 'child' })
      const other = at.db.insert('passages', { song: 999_999_999, text: 'of nobody' })
      assert.deepEqual(await endings([parent, child, other]), ['not null', 'foreign key', 'foreign key'])
      // In a later batch, and in a group.
      const grandchild = at.db.atomic((tx) => {
        tx.insert('verses', { passage: null, text: 'fine' })
        tx.insert('verses', { passage: child.id, text: 'grandchild' })
      })
      assert.deepEqual(await endings([grandchild]), ['foreign key'])
      const letters = await at.db.deadLetters()
      const [first, second, third, fourth] = letters.map(({ id }) => id)
      assert.deepEqual(
        letters.map(({ code, causedBy }) => [reasonOf(code), causedBy]),
        [
          ['not null', undefined],
          ['foreign key', first],
          ['foreign key', undefined],
          ['foreign key', second],
        ],
      )
      await at.outside(`INSERT INTO songs (id, title) VALUES (${parent.id}, 'mended')`)
      const redriven = await at.db.redrive([second ?? 0, fourth ?? 0])
      assert.deepEqual(
        redriven.map(({ outcome }) => outcome.kind),
        ['committed', 'committed'],
      )
      assert.deepEqual(await at.rows('SELECT id, song FROM passages'), [{ id: child.id, song: parent.id }])
      assert.deepEqual(
        (await at.db.deadLetters()).map(({ id }) => id),
        [first, third],
      )
    },
  )

  test('law 5 · a letter that is gone is blamed for nothing', async () => {
    await using at = await stage(subject, tables, ids)
    const parent = at.db.insert('songs', { title: null })
    await parent.outcome()
    await at.outside('DELETE FROM tidemark_dead_letters')
    await at.db.insert('passages', { song: parent.id, text: 'child' }).outcome()
    const letters = await at.db.deadLetters()
    assert.deepEqual(
      letters.map(({ table, causedBy }) => [table, causedBy]),
      [['passages', undefined]],
    )
  })

  test('options that name a wrong table are refused, all at once, and the database is let go', async () => {
    await using at = await stage(subject, tables, { writer: 'w' })
    const wrong: OpenOptions = { writer: 'x', ids: { song: 'preallocated', verses: 'preallocated' } }
    await assert.rejects(at.open(wrong), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'INVALID_OPTIONS')
      assert.match(
        error.message,
        /ids.song: there is no such table \(tables: .*songs.*ids.verses: .* no generated id/,
      )
      return true
    })
    const unfinished = "SELECT writer FROM tidemark_writers WHERE writer = 'x' AND closed = 0"
    assert.deepEqual(await at.outside(unfinished), [])
    const misspelt = { ids: { songs: 'preallocate' } } as unknown as OpenOptions
    await assert.rejects(at.open(misspelt), {
      code: 'INVALID_OPTIONS',
      message: /ids.songs must be 'preallocated'/,
    })
  })

  test('law 3 · a table that is made anew while the engine is open gives the new one’s ids', async () => {
    await using at = await stage(subject, tables, few)
    await at.db.insert('songs', { title: 'old' })
    for (const table of ['verses', 'passages', 'songs']) await at.outside(`DROP TABLE ${table}`)
    for (const table of tables) await at.outside(table)
    await at.db.reloadSchema()
    // It stands behind the reservation.
    await at.db.insert('verses', { text: 'new' })
    for (const _ of range(5)) await at.outside("INSERT INTO songs (title) VALUES ('outside')")
    await assertGiven(at, [await insertWhenReady(at.db), await insertWhenReady(at.db)])
    assert.deepEqual(await at.db.deadLetters(), [])
  })
}
