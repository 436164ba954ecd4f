/** What is deleted, what stays, and that writers go on meanwhile. */
import { expect, test } from 'vitest'
import type { Retention } from '../../src/logs/index.ts'
import { look } from '../support/database-file.ts'
import { logFile, logsOn } from './log-files.ts'

const unindexed = 'SELECT count(*) AS n FROM logs WHERE id NOT IN (SELECT id FROM logs_text_docsize)'
const orphans = 'SELECT count(*) AS n FROM logs_text_docsize WHERE id NOT IN (SELECT id FROM logs)'

test('by age: what is older goes, whatever its id, and its words with it', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  const now = Date.now()
  for (let n = 0; n < 3_000; n++)
    logs.store({ ts: n % 3 === 0 ? now - 60_000 : now, message: `word${n % 3}` })
  await logs.tidemark.flush()
  expect(await logs.cleanup({ maxAgeMs: 30_000 })).toMatchObject({ deleted: 1_000 })
  expect((await logs.search({ text: 'word0' })).entries).toEqual([])
  expect((await logs.search({ text: 'word1' })).entries).toHaveLength(100)
  expect([look(file, unindexed), look(file, orphans)]).toEqual([[{ n: 0 }], [{ n: 0 }]])
})

test('by size: the oldest go until less is in use', async () => {
  const file = logFile()
  const logs = await logsOn(file, { batch: { maxOperations: 1_000 } })
  for (let n = 0; n < 20_000; n++) {
    if (logs.tidemark.isFull) await logs.tidemark.ready()
    logs.store({ message: `some message that takes room in the file, number ${n}` })
  }
  await logs.tidemark.flush()
  const before = await logs.status()
  const maxBytes = Math.round(before.usedBytes / 2)
  const { deleted, usedBytes } = await logs.cleanup({ maxBytes })
  expect(usedBytes).toBeLessThanOrEqual(maxBytes)
  const { oldestId, newestId, freeBytes } = await logs.status()
  expect([oldestId, newestId]).toEqual([deleted + 1, 20_000])
  expect(deleted).toBeLessThan(18_000)
  expect(freeBytes).toBeGreaterThan(0)
  expect([look(file, unindexed), look(file, orphans)]).toEqual([[{ n: 0 }], [{ n: 0 }]])
})

test('the newest entry stays, so that its id is not given again', async () => {
  const logs = await logsOn(logFile())
  for (let n = 0; n < 5; n++) logs.store({ ts: 1, message: 'old' })
  await logs.tidemark.flush()
  expect(await logs.cleanup({ maxAgeMs: 1 })).toMatchObject({ deleted: 4 })
  expect(await logs.store({ message: 'next' })).toMatchObject({ id: 6 })
})

test('law 2 · writers go on while it deletes, and lose nothing', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  for (let n = 0; n < 10_000; n++) logs.store({ ts: 1, message: `old ${n}` })
  await logs.tidemark.flush()
  const cleanup = logs.cleanup({ maxAgeMs: 1_000 })
  let stored = 0
  const over = new AbortController()
  void cleanup.finally(() => over.abort())
  while (!over.signal.aborted) {
    await logs.store({ message: `new ${stored++}` })
  }
  expect(await cleanup).toMatchObject({ deleted: 10_000 })
  expect(stored).toBeGreaterThan(10)
  expect(look(file, 'SELECT count(*) AS n FROM logs')).toEqual([{ n: stored }])
})

test('producers that keep the queue full leave it room enough to delete more than they write', async () => {
  const file = logFile()
  const logs = await logsOn(file, { queue: { maxOperations: 1_000 } })
  const { tidemark } = logs
  let stored = 0
  const over = new AbortController()
  const producing = (async () => {
    for (; !over.signal.aborted; stored++) {
      while (tidemark.isFull && !over.signal.aborted) await tidemark.ready()
      logs.store({ ts: stored < 5_000 ? 1 : Date.now(), message: `entry ${stored}` })
    }
  })()
  while ((await logs.status()).newestId < 5_000) await tidemark.flush()
  const before = stored
  await logs.cleanup({ maxAgeMs: 60_000 })
  const meanwhile = stored - before
  over.abort()
  await producing
  await tidemark.flush()
  expect((await logs.status()).oldestId).toBe(5_001)
  expect(meanwhile).toBeLessThan(5_000 + 2 * 1_000)
})

test('by itself, as the options say', async () => {
  const file = logFile()
  const logs = await logsOn(file, { retention: { maxAgeMs: 60_000, everyMs: 5 } })
  const deleted = new Promise<void>((resolve) => {
    logs.tidemark.on('commit', () => {
      if (Number(look(file, 'SELECT count(*) AS n FROM logs WHERE ts = 1')[0]?.['n']) === 0) resolve()
    })
  })
  for (let n = 0; n < 300; n++) logs.store({ ts: 1, message: 'old' })
  logs.store({ message: 'new' })
  await deleted
  expect((await logs.status()).retention).toEqual({ maxAgeMs: 60_000 })
})

test('law 9 · the store closes while it deletes', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  for (let n = 0; n < 10_000; n++) logs.store({ ts: 1, message: `old ${n}` })
  await logs.tidemark.flush()
  const cleanup = logs.cleanup({ maxAgeMs: 1_000 })
  const over = expect(cleanup).rejects.toThrow('closed')
  await logs.close()
  await over
  expect(look(file, orphans)).toEqual([{ n: 0 }])
})

test.for<[Retention]>([[{}], [{ maxAgeMs: 0 }], [{ maxBytes: -5 }], [{ maxBytes: Number.NaN }]])(
  '%j is no retention',
  async ([policy]) => {
    const logs = await logsOn(logFile())
    await expect(logs.cleanup(policy)).rejects.toMatchObject({ code: 'INVALID_CALL' })
  },
)

test('an index that is damaged stops a cleanup with a reason, and not the writers', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  for (let n = 0; n < 500; n++) logs.store({ ts: 1, message: `old ${n}` })
  await logs.tidemark.flush()
  await logs.tidemark.transaction((trx) => trx.schema.dropTable('logs_text').execute())
  await expect(logs.cleanup({ maxAgeMs: 1_000 })).rejects.toMatchObject({ code: 'WRITE_REJECTED' })
  await logs.store({ message: 'goes on' })
})
