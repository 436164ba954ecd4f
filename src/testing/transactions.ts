/** Interactive transactions: alone on the write connection, at one position, all or nothing. */
import assert from 'node:assert/strict'
import { NotSupportedError, type Dialect } from '../index.ts'
import { reasonOf, sqlDialects } from './sql.ts'
import { endings, range, record, run, stage, turnOfTheLoop, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

/** What else would end the transaction, or reach beyond it. */
const endsTransaction: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: ['PRAGMA synchronous = OFF', "ATTACH ':memory:' AS other", 'END'],
  postgres: ['END', 'ABORT', 'START TRANSACTION', '/* hidden */ COMMIT'],
  // Every change of a schema commits what stands before it.
  mysql: ['START TRANSACTION', 'CREATE TABLE more (id BIGINT)', 'TRUNCATE TABLE songs', 'SET autocommit = 1'],
  surrealql: ['CANCEL', 'BEGIN TRANSACTION', 'USE DB other'],
}

type Transaction = Parameters<Parameters<AnyTidemark['transaction']>[0]>[0]
const never = new Promise<never>(() => undefined)

const insert = (trx: Transaction, title: string): Promise<unknown> =>
  trx.insertInto('songs').values({ title }).execute()

export const transactions: Topic = (subject, test, onlyFor) => {
  const titles = 'SELECT title FROM songs ORDER BY id'

  // SPEC S1.5
  test('law 4 · a transaction reads what it wrote, returns its callback’s value, and is committed when it resolves', async () => {
    await using at = await stage(subject, tables)
    const result = await at.db.transaction(async (trx) => {
      const inserted = await trx.insertInto('songs').values({ title: 'a' }).executeTakeFirstOrThrow()
      await insert(trx, 'b')
      const updated = await trx.updateTable('songs').set({ title: 'c' }).executeTakeFirstOrThrow()
      const rows = await trx.selectFrom('songs').select('title').execute()
      return { inserted: inserted.numInsertedOrUpdatedRows, updated: updated.numUpdatedRows, rows }
    })
    assert.deepEqual(result, { inserted: 1n, updated: 2n, rows: [{ title: 'c' }, { title: 'c' }] })
    assert.deepEqual(await at.outside(titles), [{ title: 'c' }, { title: 'c' }])
  })

  onlyFor(['sqlite', 'mysql'], 'an insert in a transaction tells the id that it generated', async () => {
    await using at = await stage(subject, tables)
    const { insertId } = await at.db.transaction((trx) =>
      trx.insertInto('songs').values({ title: 'a' }).executeTakeFirstOrThrow(),
    )
    assert.equal(insertId, 1n)
  })

  onlyFor(['sqlite', 'postgres'], 'a transaction reads what its writes return', async () => {
    await using at = await stage(subject, tables)
    const returned = await at.db.transaction((trx) =>
      trx.insertInto('songs').values({ title: 'a' }).returning(['id', 'title']).execute(),
    )
    assert.deepEqual(returned, [{ id: 1, title: 'a' }])
  })

  test('law 2 · it sees all that was accepted before it, and nothing of what is accepted meanwhile', async () => {
    await using at = await stage(subject, tables)
    const before = at.db.insert('songs', { title: 'before' })
    let meanwhile: ReturnType<AnyTidemark['insert']> | undefined
    const seen = await at.db.transaction(async (trx) => {
      meanwhile = at.db.insert('songs', { title: 'meanwhile' })
      await turnOfTheLoop()
      const rows = await trx.selectFrom('songs').select('title').execute()
      assert.equal(before.state, 'committed')
      assert.equal(meanwhile.state, 'pending')
      await insert(trx, 'inside')
      return rows
    })
    assert.deepEqual(seen, [{ title: 'before' }])
    await meanwhile
    assert.deepEqual(await at.rows(titles), [
      { title: 'before' },
      { title: 'inside' },
      { title: 'meanwhile' },
    ])
  })

  test('law 2 · it takes one position, also when it is rolled back', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'a' })
    await at.db.transaction(async (trx) => {
      await insert(trx, 'b')
      await insert(trx, 'c')
    })
    assert.equal((await at.db.insert('songs', { title: 'd' })).position.seq, 3)
    await assert.rejects(
      at.db.transaction(() => Promise.reject(new Error('no'))),
      /no/,
    )
    assert.equal((await at.db.insert('songs', { title: 'e' })).position.seq, 5)
    assert.equal(at.db.stats().tidemark.seq, 5)
  })

  test('law 4 · a callback that throws rolls everything back, and its own error comes out', async () => {
    await using at = await stage(subject, tables)
    const own = new Error('of the caller')
    const transaction = at.db.transaction(async (trx) => {
      await insert(trx, 'gone')
      throw own
    })
    const after = at.db.insert('songs', { title: 'after' })
    await assert.rejects(transaction, own)
    await after
    assert.deepEqual(await at.rows(titles), [{ title: 'after' }])
    const notAsync = (): Promise<never> => {
      throw own
    }
    await assert.rejects(at.db.transaction(notAsync), own)
    await at.db.flush()
  })

  onlyFor(
    sqlDialects,
    'law 4 · a statement that fails in it, and is caught, leaves the rest whole: all of it or nothing',
    async () => {
      await using at = await stage(subject, tables)
      const transaction = at.db.transaction(async (trx) => {
        await run(trx, "INSERT INTO songs VALUES (1, 'a')")
        await assert.rejects(
          run(trx, "INSERT INTO songs VALUES (1, 'again')"),
          (error: { storeCode?: string }) => reasonOf(error.storeCode ?? '') === 'unique',
        )
        await assert.rejects(run(trx, 'no sql at all'), { failure: 'rejected' })
        await run(trx, "INSERT INTO songs VALUES (2, 'b')")
      })
      const [ended] = await Promise.allSettled([transaction])
      // PostgreSQL ends a transaction with its first failure, and answers a COMMIT as if nothing were wrong.
      if (subject.dialect !== 'postgres') assert.equal(ended.status, 'fulfilled')
      const whole = [{ title: 'a' }, { title: 'b' }]
      assert.deepEqual(await at.rows(titles), ended.status === 'fulfilled' ? whole : [])
    },
  )

  test('law 4 · statements that nobody awaited are part of the transaction or refused, never applied on their own', async () => {
    await using at = await stage(subject, tables)
    const strays: Promise<unknown>[] = []
    const stray = async (trx: Transaction, name: string, moment: Promise<void>): Promise<void> => {
      await moment
      await insert(trx, name).catch(() => undefined)
    }
    const transaction = at.db.transaction(async (trx) => {
      for (const hops of range(60)) strays.push(stray(trx, `after ${hops} hops`, hopped(hops)))
      for (const ticks of range(5)) strays.push(stray(trx, `after ${ticks} ticks`, ticked(ticks)))
      throw new Error('rolled back')
    })
    await assert.rejects(transaction, /rolled back/)
    await Promise.all(strays)
    assert.deepEqual(await at.rows(titles), [])
  })

  test('law 4 · a statement after the end is refused, also while a later transaction runs', async () => {
    await using at = await stage(subject, tables)
    const kept: Transaction[] = []
    await at.db.transaction(async (trx) => void kept.push(trx))
    await assert.rejects(
      at.db.transaction(async (trx) => {
        kept.push(trx)
        throw new Error('no')
      }),
    )
    for (const trx of kept) await assert.rejects(insert(trx, 'late'), { code: 'STORE_FAILED' })
    await at.db.transaction(async (current) => {
      await insert(current, 'current')
      for (const trx of kept) await assert.rejects(insert(trx, 'late'), { code: 'STORE_FAILED' })
    })
    assert.deepEqual(await at.rows(titles), [{ title: 'current' }])
  })

  test('law 1 · a callback that takes too long is rolled back with TRANSACTION_FAILED, and the engine goes on', async () => {
    await using at = await stage(subject, tables)
    const transaction = at.db.transaction(
      async (trx) => {
        await insert(trx, 'gone')
        await never
      },
      { timeoutMs: 20 },
    )
    const after = at.db.insert('songs', { title: 'after' })
    await assert.rejects(transaction, { code: 'TRANSACTION_FAILED', outcome: 'not-committed' })
    await after
    assert.deepEqual(await at.rows(titles), [{ title: 'after' }])
  })

  test('a transaction that awaits a write of its own engine is told so by its timeout', async () => {
    await using at = await stage(subject, tables)
    const transaction = at.db.transaction(
      async () => {
        await at.db.insert('songs', { title: 'outside of it' })
      },
      { timeoutMs: 20 },
    )
    await assert.rejects(transaction, (error: Error & { hint?: string }) =>
      /waits for the transaction/.test(error.hint ?? ''),
    )
    assert.deepEqual(await at.rows(titles), [{ title: 'outside of it' }])
  })

  test('law 2 · transactions of one engine run one after another, in the order of their calls', async () => {
    await using at = await stage(subject, tables)
    let running = 0
    const results = await Promise.all(
      range(10).map((index) =>
        at.db.transaction(async (trx) => {
          assert.equal(++running, 1)
          const [row] = await trx
            .selectFrom('songs')
            .select((eb) => eb.fn.countAll().as('count'))
            .execute()
          await insert(trx, `song ${index}`)
          running--
          return row?.['count']
        }),
      ),
    )
    assert.deepEqual(results, range(10))
  })

  test('law 3 · a transaction cannot be ended, nor the bookkeeping touched, by SQL of its own', async () => {
    await using at = await stage(subject, tables)
    const refused = [
      'COMMIT',
      'ROLLBACK',
      'BEGIN',
      'SAVEPOINT a',
      'UPDATE tidemark_writers SET watermark = 1000',
      'DELETE FROM tidemark_dead_letters',
      "INSERT INTO tidemark_checkpoints VALUES ('a', '1', 1)",
      'DROP TABLE tidemark_writers',
      ...endsTransaction[subject.dialect],
    ]
    await at.db.transaction(async (trx) => {
      await insert(trx, 'a')
      for (const sql of refused) await assert.rejects(run(trx, sql), { code: 'STORE_FAILED' }, sql)
      await insert(trx, 'b')
    })
    assert.deepEqual(await at.rows(titles), [{ title: 'a' }, { title: 'b' }])
    assert.equal(at.db.stats().tidemark.seq, 1)
  })

  test('law 3 · a text of more than one statement is refused whole in a transaction, not run in part', async () => {
    await using at = await stage(subject, tables)
    await at.db.transaction(async (trx) => {
      await insert(trx, 'a')
      for (const text of ["INSERT INTO songs (title) VALUES ('b'); DELETE FROM songs", 'SELECT 1; COMMIT'])
        await assert.rejects(run(trx, text), { failure: 'rejected', message: /more than one statement/ })
    })
    assert.deepEqual(await at.rows(titles), [{ title: 'a' }])
  })

  test('law 3 · a statement in a transaction that is given too few parameters changes nothing', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { id: 1, title: 'a' })
    const text = at.sql('UPDATE songs SET title = ? WHERE id = ?')
    for (const parameters of [[], ['b'], ['b', 1, 2]])
      await assert.rejects(
        at.db.transaction((trx) => run(trx, text, parameters)),
        { code: 'STORE_FAILED' },
      )
    assert.deepEqual(await at.rows(titles), [{ title: 'a' }])
  })

  test('its Kysely begins no transaction inside the transaction', async () => {
    await using at = await stage(subject, tables)
    await at.db.transaction(async (trx) => {
      await assert.rejects(
        trx.transaction().execute((inner) => insert(inner, 'a')),
        NotSupportedError,
      )
    })
  })

  test('law 9 · a transaction called after close is refused', async () => {
    await using at = await stage(subject, tables)
    await at.db.close()
    await assert.rejects(
      at.db.transaction(() => assert.fail('its callback ran')),
      { code: 'CLOSED' },
    )
  })

  test('law 2 · what is written around many transactions keeps its order and its outcome', async () => {
    await using at = await stage(subject, tables)
    const rejects = record(at.db, 'reject')
    const writes = range(20).flatMap((index) => {
      const before = at.db.insert('songs', { title: `write ${index}` })
      void at.db
        .transaction((trx) => insert(trx, `transaction ${index}`))
        .catch((error: unknown) => assert.fail(String(error)))
      return [before, at.db.insert('songs', { title: index % 2 === 0 ? null : 'x' })]
    })
    const ended = await endings(writes)
    assert.equal(ended.filter((ending) => ending === 'committed').length, 30)
    assert.equal(rejects.length, 10)
    const found = (await at.rows(titles)).map(({ title }) => title)
    const expected = range(20).flatMap((index) => [
      `write ${index}`,
      `transaction ${index}`,
      ...(index % 2 ? ['x'] : []),
    ])
    assert.deepEqual(found, expected)
  })
}

async function ticked(ticks: number): Promise<void> {
  for (const _ of range(ticks)) await turnOfTheLoop()
}

async function hopped(hops: number): Promise<void> {
  for (const _ of range(hops)) await Promise.resolve()
}
