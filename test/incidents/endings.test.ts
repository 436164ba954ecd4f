/** What a process knew when it ended, and what its database knew. Law 1, law 3, law 9. */
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { ledgerSchema } from '../support/ledger.ts'
import { dieBeforeAnswering, watchThreads } from '../support/threads.ts'

// A service answered "stored" when the row was in its buffer, and lost with every crash what it had answered in the last
// second. Here an answer comes behind the COMMIT, whichever way it was asked for: a process that is killed by the very
// line that hears it has lost nothing of what stands before it.
test('law 1 · incident: ack before durable', async () => {
  const rounds = 4
  const rows = 300
  await Promise.all(
    ['insert', 'flush', 'transaction'].map(async (how) => {
      const file = databaseFile(ledgerSchema)
      for (let round = 1; round <= rounds; round++) {
        const child = new Child(new URL('acknowledged-process.ts', import.meta.url), [file, how, rows])
        expect(await child.ended, child.stderr).toEqual({ code: null, signal: 'SIGKILL' })
        expect(look(file, 'SELECT count(*) AS n FROM rows'), how).toEqual([{ n: round * rows }])
      }
    }),
  )
})

// A client lost the connection between its COMMIT and the answer, took that for a failure, and sent the batch again:
// every row twice, every counter too high. Here the tidemark is committed with the rows, so that the database itself
// tells whether they are there, and it is asked before anything is sent again.
test('law 3 · incident: unknown-outcome retry duplicating a batch', async () => {
  const file = databaseFile(`${ledgerSchema}
    CREATE TABLE counters (key TEXT PRIMARY KEY, n INTEGER NOT NULL);
    INSERT INTO counters VALUES ('a', 0), ('b', 0);`)
  const threads = watchThreads()
  const db = await open(sqlite(file, { walAutocheckpoint: 0 }))
  const deaths = 3
  const perDeath = 40
  for (let death = 0; death < deaths; death++) {
    const lost = dieBeforeAnswering(threads.at(-1) as Worker)
    const receipts = Array.from({ length: perDeath }, (_, n) =>
      db.atomic((group) => {
        group.insert('rows', { n, writer: 'client', text: 'x' })
        group.write({
          sql: 'UPDATE counters SET n = n + 1 WHERE key = ?',
          parameters: [n % 2 === 0 ? 'a' : 'b'],
        })
      }),
    )
    const answers = Promise.all(receipts)
    await lost
    await answers
  }

  const each = (deaths * perDeath) / 2
  expect(db.stats().store.reconnects).toBe(deaths)
  expect(look(file, 'SELECT key, n FROM counters ORDER BY key')).toEqual([
    { key: 'a', n: each },
    { key: 'b', n: each },
  ])
  expect(look(file, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: 2 * each }])
  await db.close()
})

// One buffered writer dropped its buffer when it was closed; another waited at the end for a queue that its producers
// went on filling, until it was killed. Here close refuses what comes from now on, and commits all that was accepted.
test('law 9 · incident: shutdown that never drains', async () => {
  const file = databaseFile(ledgerSchema)
  const child = new Child(new URL('serving-process.ts', import.meta.url), [file])
  await child.said('serving')
  child.stop()
  const accepted = Number(await child.said('closed'))
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })

  expect(Number(await child.said('refused')), 'its producers did not stop by themselves').toBeGreaterThan(0)
  expect(accepted).toBeGreaterThan(1_000)
  expect(look(file, 'SELECT count(*) AS n, max(n) AS last FROM rows')).toEqual([
    { n: accepted, last: accepted },
  ])
  expect(look(file, 'SELECT watermark, closed FROM tidemark_writers')).toEqual([
    { watermark: accepted, closed: 1 },
  ])
})
