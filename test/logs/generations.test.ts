/** The full-text index in generations: they begin, are searched and followed across, and end. */
import { expect, test } from 'vitest'
import { dropDead, generationsOf, readIndexed, rotate } from '../../src/logs/generations.ts'
import type { LogStore } from '../../src/logs/index.ts'
import { logTable } from '../../src/logs/table.ts'
import { change, look } from '../support/database-file.ts'
import { logFile, logsOn, messages, take } from './log-files.ts'

const table = logTable('logs')
const never = new AbortController().signal
/** Only the test begins and ends generations. */
const alone = { retention: { everyMs: 3_600_000 } }

async function fill(logs: LogStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    if (logs.tidemark.isFull) await logs.tidemark.ready()
    logs.store({
      ts: n,
      message: `${n % 10 === 0 ? 'needle' : 'hay'} ${n}`,
      level: n % 100 === 0 ? 'error' : 'info',
    })
  }
  await logs.tidemark.flush()
}

async function foundBy(logs: LogStore, text: string): Promise<number[]> {
  const ids: number[] = []
  for (let before: string | undefined; ;) {
    const page = await logs.search({ text, limit: 7, ...(before !== undefined && { before }) })
    ids.push(...page.entries.map(({ id }) => id))
    if (page.next === undefined) return ids
    before = page.next
  }
}

/** Of 1,000 entries, numbered from 0 with ids from 1: every tenth, newest first. */
const needles = Array.from({ length: 100 }, (_, at) => 991 - 10 * at)

test('what was found in one generation is found in many', async () => {
  const logs = await logsOn(logFile(), alone)
  for (let n = 0; n < 1_000; n += 250) {
    await fill(logs, n, n + 250)
    expect(await rotate(logs.tidemark, table, 250)).toBe(true)
  }
  expect(await rotate(logs.tidemark, table, 250), 'the newest is empty').toBe(false)
  expect((await generationsOf(logs.tidemark, table)).map(({ after }) => after)).toEqual([
    1_000, 750, 500, 250, 0,
  ])
  expect(await foundBy(logs, 'needle')).toEqual(needles)
  expect(await foundBy(logs, '"hay 3"')).toEqual([4])
  expect(
    messages((await logs.search({ text: 'needle', level: 'error', fromMs: 100, toMs: 500 })).entries),
  ).toEqual(['needle 400', 'needle 300', 'needle 200', 'needle 100'])
  const tail = logs.subscribe({ when: 'committed', after: 0, text: 'needle' })
  expect((await take(100, tail)).map(({ id }) => id)).toEqual(needles.toReversed())
  expect((await logs.status()).unindexed).toBe(0)
  await logs.store({ message: 'needle behind them' })
  expect((await foundBy(logs, 'needle')).length).toBe(101)
})

test('law 6 · searches and tails miss nothing and repeat nothing while generations begin and end', async () => {
  const file = logFile()
  const [logs, other] = [await logsOn(file, alone), await logsOn(file, alone)]
  const tail = take(200, logs.subscribe({ when: 'committed', after: 0, text: 'needle' }))
  await fill(logs, 0, 1_000)
  const isOver = new AbortController()
  const rotating = (async () => {
    for (let n = 1_000; n < 2_000; n += 50) {
      await fill(other, n, n + 50)
      await rotate(other.tidemark, table, 50)
      await dropDead(other.tidemark, table, never)
    }
    isOver.abort()
  })()
  let searches = 0
  while (!isOver.signal.aborted) {
    // A number stands alone in its entry, so what is found of the first thousand never changes.
    expect(await foundBy(logs, '"needle 500" OR "hay 777" OR "hay 3"')).toEqual([778, 501, 4])
    searches++
  }
  await rotating
  expect(searches).toBeGreaterThan(1)
  expect((await tail).map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, at) => 10 * at + 1))
})

test('a generation without rows is dropped, and its room is given back; until then it leads nowhere', async () => {
  const file = logFile()
  const logs = await logsOn(file, alone)
  for (let n = 0; n < 1_000; n += 250) {
    await fill(logs, n, n + 250)
    await rotate(logs.tidemark, table, 250)
  }
  await logs.store({ ts: 5_000, message: 'newest' })
  change(file, 'DELETE FROM logs WHERE id <= 600')
  expect(await foundBy(logs, 'needle')).toEqual(needles.filter((id) => id > 600))
  expect(await dropDead(logs.tidemark, table, never)).toBe(2)
  expect(
    look(file, "SELECT name FROM sqlite_schema WHERE name GLOB 'logs_text_[0-9]' ORDER BY name"),
  ).toEqual([{ name: 'logs_text_3' }, { name: 'logs_text_4' }])
  expect(await foundBy(logs, 'needle')).toEqual(needles.filter((id) => id > 600))
  expect(await dropDead(logs.tidemark, table, never)).toBe(0)
})

test('two log stores begin one generation, not two', async () => {
  const file = logFile()
  const [logs, other] = [await logsOn(file, alone), await logsOn(file, alone)]
  await fill(logs, 0, 300)
  const both = await Promise.all([rotate(logs.tidemark, table, 300), rotate(other.tidemark, table, 300)])
  expect(both.filter(Boolean)).toEqual([true])
  await fill(other, 300, 310)
  expect(await foundBy(logs, '"needle 300"')).toEqual([301])
  expect(await foundBy(logs, '"hay 299"')).toEqual([300])
})

test('the newest generation still follows deletes and updates', async () => {
  const file = logFile()
  const logs = await logsOn(file, alone)
  await fill(logs, 0, 100)
  await rotate(logs.tidemark, table, 100)
  await fill(logs, 100, 110)
  change(file, "UPDATE logs SET message = 'changed' WHERE id = 105; DELETE FROM logs WHERE id > 107;")
  await logs.store({ message: 'again' })
  expect([await foundBy(logs, 'changed'), await foundBy(logs, '"hay 104"')]).toEqual([[105], []])
  expect([await foundBy(logs, 'again'), await foundBy(logs, '"hay 107"')]).toEqual([[108], []])
})

test('a table that was emptied by somebody else is indexed from its new beginning', async () => {
  const file = logFile()
  const logs = await logsOn(file, alone)
  await fill(logs, 0, 100)
  await rotate(logs.tidemark, table, 100)
  await fill(logs, 100, 150)
  change(file, 'DELETE FROM logs')
  await logs.store({ message: 'first again' })
  expect(await dropDead(logs.tidemark, table, never)).toBe(1)
  await logs.whenIndexed()
  expect(await foundBy(logs, '"first again"')).toEqual([1])
  expect(await foundBy(logs, 'needle')).toEqual([])
})

test.for([
  { what: 'renamed', change: (logs: LogStore) => rotate(logs.tidemark, table, 100) },
  {
    what: 'dropped',
    change: async (logs: LogStore) => {
      await rotate(logs.tidemark, table, 100)
      await logs.tidemark.write({ sql: 'DELETE FROM logs WHERE id <= 100', parameters: [] })
      await dropDead(logs.tidemark, table, never)
    },
  },
])('law 6 · what is $what under a read is read again where it is', async ({ what, change: act }) => {
  const logs = await logsOn(logFile(), alone)
  await fill(logs, 0, 100)
  if (what === 'dropped') await rotate(logs.tidemark, table, 100)
  await fill(logs, 100, 200)
  const indexes: string[] = []
  const found = await readIndexed(logs.tidemark, table, 50, async ({ index }) => {
    if (indexes.push(index) === 1) await act(logs)
    const sql = `SELECT count(*) AS n FROM ${index} WHERE ${index} MATCH 'needle'`
    return (await logs.tidemark.query<{ n: number }>({ sql, parameters: [] })).rows[0]?.n
  })
  expect({ found, indexes }).toEqual(
    what === 'renamed'
      ? { found: 20, indexes: ['"logs_text"', '"logs_text_1"'] }
      : { found: 10, indexes: ['"logs_text_1"', '"logs_text_2"'] },
  )
})

test('an error of a read that nobody else caused is its own', async () => {
  const logs = await logsOn(logFile(), alone)
  const failure = new Error('its own')
  await expect(readIndexed(logs.tidemark, table, 1, () => Promise.reject(failure))).rejects.toBe(failure)
})
