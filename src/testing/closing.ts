/** `close()` commits everything accepted, or abandons it at its deadline; afterwards nothing runs. */
import assert from 'node:assert/strict'
import { endings, foreverMs, pause, range, rowsOf, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

export const closing: Topic = (subject, test) => {
  const count = 'SELECT count(*) AS count FROM songs'

  // SPEC S4.6
  test('law 9 · close commits everything accepted, and every receipt settles', async () => {
    await using at = await stage(subject, tables, { batch: { lingerMs: foreverMs, maxOperations: 100 } })
    const receipts = range(1_050).map((index) =>
      at.db.insert('songs', { title: index % 10 === 9 ? null : 'x' }),
    )
    const transaction = at.db.transaction(async (trx) => {
      await trx.insertInto('songs').values({ title: 'inside' }).execute()
    })
    receipts.push(at.db.insertMany('songs', [{ title: 'y' }]))
    await at.db.close()
    assert.ok(receipts.every(({ state }) => state !== 'pending' && state !== 'abandoned'))
    await transaction
    assert.deepEqual(await at.outside(count), [{ count: 945 + 2 }])
  })

  test('law 9 · after close every write is refused with CLOSED, and nothing of it is queued', async () => {
    await using at = await stage(subject, tables)
    await at.db.close()
    const { db } = at
    const writes = [
      () => db.insert('songs', { title: 'a' }),
      () => db.insertMany('songs', [{ title: 'a' }]),
      () => db.insertMany('songs', [{ title: 'a' }], { atomic: false }),
      () => db.upsert('songs', { id: 1, title: 'a' }),
      () => db.update('songs', { id: 1 }, { title: 'a' }),
      () => db.delete('songs', { id: 1 }),
      () => db.write({ sql: 'DELETE FROM songs', parameters: [] }),
      () => db.atomic((group) => group.insert('songs', { title: 'a' })),
    ]
    for (const write of writes) assert.throws(write, { code: 'CLOSED', outcome: 'not-committed' })
    await db.flush()
    await db.ready()
    assert.deepEqual(await at.outside(count), [{ count: 0 }])
  })

  test('law 9 · writes are refused as soon as close is called, and what was accepted before is committed', async () => {
    await using at = await stage(subject, tables)
    const before = at.db.insert('songs', { title: 'before' })
    const closed = at.db.close()
    assert.throws(() => at.db.insert('songs', { title: 'after' }), { code: 'CLOSED' })
    await closed
    assert.equal(before.state, 'committed')
  })

  test('law 9 · at its deadline close abandons what is not committed, tells so, and leaves nothing pending', async () => {
    await using at = await stage(subject, tables)
    const kept = await at.db.insert('songs', { title: 'kept' })
    void pause(at.db).catch(() => undefined)
    const pending = range(50).map((index) => at.db.insert('songs', { title: `song ${index}` }))
    const waiting = assert.rejects(at.db.flush(), { code: 'DEADLINE_PASSED' })
    await assert.rejects(at.db.close({ timeoutMs: 1 }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'DEADLINE_PASSED')
      assert.match(error.message, /50 operations/)
      return true
    })
    await waiting
    assert.deepEqual(new Set(await endings(pending)), new Set(['DEADLINE_PASSED not-committed']))
    assert.equal(kept.position.seq, 1)
    assert.equal(at.db.stats().queued.operations, 0)
    assert.deepEqual(await at.outside(count), [{ count: 1 }])
  })

  test('law 9 · a transaction that runs at the deadline is abandoned and rolled back', async () => {
    await using at = await stage(subject, tables)
    const begun = Promise.withResolvers<void>()
    const transaction = at.db.transaction(async (trx) => {
      await trx.insertInto('songs').values({ title: 'gone' }).execute()
      begun.resolve()
      await new Promise<never>(() => undefined)
    })
    const refused = assert.rejects(transaction, { code: 'DEADLINE_PASSED', outcome: 'not-committed' })
    await begun.promise
    await assert.rejects(at.db.close({ timeoutMs: 1 }), { code: 'DEADLINE_PASSED' })
    await refused
    assert.deepEqual(await at.outside(count), [{ count: 0 }])
    const next = await at.open()
    await next.insert('songs', { title: 'next' })
    assert.deepEqual(await at.outside(count), [{ count: 1 }])
  })

  test('close may be called again, and twice at once', async () => {
    await using at = await stage(subject, tables)
    at.db.insert('songs', { title: 'a' })
    await Promise.all([at.db.close(), at.db.close(), at.db.close({ timeoutMs: 60_000 })])
    await at.db.close()
    assert.deepEqual(await at.outside(count), [{ count: 1 }])
  })

  test('`await using` closes the engine', async () => {
    await using at = await stage(subject, tables)
    let receipt
    {
      await using db = await at.open({ batch: { lingerMs: foreverMs } })
      receipt = db.insert('songs', { title: 'a' })
    }
    assert.equal(receipt.state, 'committed')
    assert.deepEqual(await at.outside(count), [{ count: 1 }])
  })

  test('law 9 · after close nothing runs: reads are refused too', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'a' })
    await at.db.close()
    for (const level of ['eventual', 'strong'] as const)
      await assert.rejects(rowsOf(at.db, count, level), { code: 'CLOSED' })
    await assert.rejects(at.db.deadLetters(), { code: 'CLOSED' })
    await assert.rejects(at.db.flush({ durable: true }), { code: 'CLOSED' })
    await assert.rejects(at.db.reloadSchema(), { code: 'CLOSED' })
  })

  test('law 9 · reads under way when the engine closes give their rows or are refused as closed, and nothing else', async () => {
    for (const waitMs of [0, 1, 5]) {
      await using at = await stage(subject, tables, { batch: { lingerMs: foreverMs } })
      at.db.insert('songs', { title: 'a' })
      const reads = range(60).map(async (index) => {
        if (index % 3 === 0) return await rowsOf(at.db, count, 'strong')
        if (index % 3 === 1) return await rowsOf(at.db, count, 'eventual')
        return (await at.db.get('songs', { id: 1 })).row
      })
      await new Promise((resolve) => void setTimeout(resolve, waitMs))
      const [ends] = await Promise.all([Promise.allSettled(reads), at.db.close()])
      for (const end of ends)
        if (end.status === 'rejected') assert.equal((end.reason as { code?: string }).code, 'CLOSED')
    }
  })

  test('law 9 · stats can still be read after close', async () => {
    await using at = await stage(subject, tables)
    await at.db.insert('songs', { title: 'a' })
    await at.db.close()
    assert.equal(at.db.stats().committed.operations, 1)
  })
}
