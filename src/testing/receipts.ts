/** Receipts: a position at once, an outcome once. */
import assert from 'node:assert/strict'
import {
  EngineStoppedError,
  ReceiptTimeoutError,
  TidemarkError,
  WriteRejectedError,
  type Committed,
  type Receipt,
} from '../index.ts'
import { reasonOf } from './sql.ts'
import { pause, range, record, stage, turnOfTheLoop, type AnyTidemark } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL)'

async function unhandledDuring(work: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = []
  const listen = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', listen)
  try {
    await work()
    await turnOfTheLoop()
    return unhandled
  } finally {
    process.off('unhandledRejection', listen)
  }
}

const good = (db: AnyTidemark): Receipt => db.insert('songs', { title: 'good' })
const bad = (db: AnyTidemark): Receipt => db.insert('songs', { title: null })

export const receipts: Topic = (subject, test) => {
  test('law 1 · a receipt is pending, then settles as committed, rejected or abandoned', async () => {
    await using at = await stage(subject, tables)
    const resume = await pause(at.db)
    const first = [good(at.db), bad(at.db), at.db.insertMany('songs', [{ title: 'x' }], { atomic: false })]
    assert.deepEqual(
      first.map(({ state }) => state),
      ['pending', 'pending', 'pending'],
    )
    await resume()
    await at.db.flush()
    assert.deepEqual(
      first.map(({ state }) => state),
      ['committed', 'rejected', 'committed'],
    )
    void pause(at.db).catch(() => undefined)
    const last = good(at.db)
    await assert.rejects(at.db.close({ timeoutMs: 1 }), { code: 'DEADLINE_PASSED' })
    assert.equal(last.state, 'abandoned')
    assert.deepEqual(
      first.map(({ state }) => state),
      ['committed', 'rejected', 'committed'],
    )
  })

  if (subject.commits === 'sync') {
    test('law 1 · where commits are synchronous, a receipt is settled when its call returns', async () => {
      await using at = await stage(subject, tables)
      assert.deepEqual([good(at.db).state, bad(at.db).state], ['committed', 'rejected'])
    })
  }

  test('law 1 · a receipt settles once: asked in any way and any number of times, it answers the same', async () => {
    await using at = await stage(subject, tables)
    for (const receipt of [good(at.db), bad(at.db)]) {
      const outcomes = await Promise.all([receipt.outcome(), receipt.outcome(), receipt.outcome()])
      const again = await receipt.outcome()
      const settled = await Promise.allSettled([receipt, receipt, receipt.within(60_000), receipt.then()])
      for (const outcome of outcomes) assert.deepEqual(outcome, again)
      for (const one of settled)
        assert.equal(one.status, again.kind === 'committed' ? 'fulfilled' : 'rejected')
    }
  })

  test('law 1 · a rejected write throws where it is awaited, and says why and where it is kept', async () => {
    await using at = await stage(subject, tables)
    const receipt = bad(at.db)
    await assert.rejects(
      async () => await receipt,
      (error: unknown) => {
        assert.ok(error instanceof WriteRejectedError && error instanceof TidemarkError)
        assert.equal(error.code, 'WRITE_REJECTED')
        assert.equal(reasonOf(error.storeCode), 'not null')
        assert.equal(error.outcome, 'not-committed')
        assert.match(error.message, /position 1 in table "songs"/)
        assert.match(error.hint ?? '', /redrive/)
        return true
      },
    )
    const [letter] = await at.db.deadLetters()
    const outcome = await receipt.outcome()
    assert.ok(outcome.kind === 'rejected')
    assert.equal(outcome.error.deadLetter, letter?.id)
  })

  test('law 1 · a rejected write that nobody awaits raises no unhandledRejection; the event and the letter tell', async () => {
    await using at = await stage(subject, tables)
    const rejects = record(at.db, 'reject')
    const kept: Receipt[] = []
    const unhandled = await unhandledDuring(async () => {
      kept.push(bad(at.db), good(at.db), bad(at.db))
      await at.db.flush()
    })
    assert.deepEqual(unhandled, [])
    const [first, second] = await at.db.deadLetters()
    assert.deepEqual(
      rejects.map(({ position, table, storeCode, deadLetter }) => [
        position,
        table,
        reasonOf(storeCode),
        deadLetter,
      ]),
      [
        [kept[0]?.position, 'songs', 'not null', first?.id],
        [kept[2]?.position, 'songs', 'not null', second?.id],
      ],
    )
  })

  test('law 1 · a wait that is over leaves no unhandledRejection behind when the write is rejected later', async () => {
    await using at = await stage(subject, tables)
    const unhandled = await unhandledDuring(async () => {
      const resume = await pause(at.db)
      const receipt = bad(at.db)
      await assert.rejects(receipt.within(1), ReceiptTimeoutError)
      await resume()
      await receipt.outcome()
    })
    assert.deepEqual(unhandled, [])
  })

  test('a receipt is an ordinary promise to await, Promise.all and async functions', async () => {
    await using at = await stage(subject, tables)
    const returned = async (): Promise<Committed> => good(at.db)
    const [one, two, three] = await Promise.all([good(at.db), Promise.resolve(good(at.db)), returned()])
    assert.deepEqual(
      [one, two, three].map(({ position }) => position.seq),
      [1, 2, 3],
    )
    await assert.rejects(Promise.all([good(at.db), bad(at.db)]), WriteRejectedError)
    const last = await good(at.db).then(({ id }) => id)
    assert.equal(last, await at.value('SELECT max(id) FROM songs'))
    assert.equal(await bad(at.db).catch(() => 'caught'), 'caught')
    let finals = 0
    await good(at.db).finally(() => finals++)
    await assert.rejects(
      bad(at.db).finally(() => finals++),
      WriteRejectedError,
    )
    assert.equal(finals, 2)
  })

  test('outcome() never rejects, whichever way a write ended', async () => {
    await using at = await stage(subject, tables)
    assert.equal((await good(at.db).outcome()).kind, 'committed')
    assert.equal((await bad(at.db).outcome()).kind, 'rejected')
    void pause(at.db).catch(() => undefined)
    const receipt = good(at.db)
    const outcome = receipt.outcome()
    await at.db.close({ timeoutMs: 1 }).catch(() => undefined)
    const ended = await outcome
    assert.ok(ended.kind === 'abandoned')
    assert.ok(ended.error instanceof EngineStoppedError)
    assert.equal(ended.error.code, 'DEADLINE_PASSED')
    assert.equal(ended.error.outcome, 'not-committed')
  })

  test('law 1 · within(ms) bounds the wait, not the write', async () => {
    await using at = await stage(subject, tables)
    const resume = await pause(at.db)
    const receipt = good(at.db)
    await assert.rejects(receipt.within(1), { code: 'RECEIPT_TIMEOUT', outcome: 'unknown' })
    assert.equal(receipt.state, 'pending')
    await resume()
    assert.equal((await receipt.within(60_000)).position.seq, receipt.position.seq)
    await assert.rejects(bad(at.db).within(60_000), WriteRejectedError)
  })

  // SPEC S4.6
  test('law 1 · within(signal) ends the wait when the signal aborts', async () => {
    await using at = await stage(subject, tables)
    const resume = await pause(at.db)
    const receipt = good(at.db)
    const abort = new AbortController()
    const wait = receipt.within(abort.signal)
    const reason = new Error('the caller left')
    abort.abort(reason)
    await assert.rejects(wait, { code: 'RECEIPT_TIMEOUT', cause: reason })
    await assert.rejects(receipt.within(AbortSignal.abort()), { code: 'RECEIPT_TIMEOUT' })
    await resume()
    assert.equal((await receipt).position.seq, receipt.position.seq)
    // Settled already: there is nothing left to wait for, so nothing to abort.
    assert.equal((await receipt.within(AbortSignal.abort())).position.seq, receipt.position.seq)
  })

  test('receipts of one tick answer each for their own write', async () => {
    await using at = await stage(subject, tables)
    const all = range(200).map((index) => (index % 3 === 1 ? bad(at.db) : good(at.db)))
    const settled = await Promise.allSettled(all)
    assert.deepEqual(
      settled.map(({ status }) => status),
      range(200).map((index) => (index % 3 === 1 ? 'rejected' : 'fulfilled')),
    )
    const ids = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []))
    const found = await at.rows('SELECT id FROM songs ORDER BY id')
    assert.deepEqual(
      ids,
      found.map(({ id }) => id),
    )
  })
}
