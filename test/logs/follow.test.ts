/** Subscriptions: what is told, once each, and that a tail can be taken up again. */
import { expect, test } from 'vitest'
import { change } from '../support/database-file.ts'
import { logFile, logsOn, messages, take } from './log-files.ts'

// SPEC S4.4
test('accepted entries are told before they are committed', async () => {
  const logs = await logsOn(logFile(), { batch: { lingerMs: 60_000 } })
  const accepted = logs.subscribe({ when: 'accepted' })
  const first = accepted.next()
  const receipt = logs.store({ message: 'fresh', attributes: { a: 1 } })
  expect(await first).toMatchObject({
    value: { message: 'fresh', attributes: { a: 1 }, position: receipt.position },
  })
  expect(receipt.state).toBe('pending')
  await accepted.return(undefined)
})

test('law 6 · a tail gives every committed entry once, in the order of ids, from any engine', async () => {
  const file = logFile()
  const [one, other] = [await logsOn(file), await logsOn(file)]
  const tail = take(2_000, one.subscribe({ when: 'committed', after: 0 }))
  for (let n = 0; n < 1_000; n++) {
    one.store({ message: `one ${n}` })
    other.store({ message: `other ${n}` })
    if (n % 100 === 0) await Promise.all([one.tidemark.flush(), other.tidemark.flush()])
  }
  const entries = await tail
  expect(entries.map(({ id }) => id)).toEqual(Array.from({ length: 2_000 }, (_, at) => at + 1))
  for (const name of ['one', 'other'])
    expect(messages(entries).filter((text) => text.startsWith(`${name} `))).toEqual(
      Array.from({ length: 1_000 }, (_, n) => `${name} ${n}`),
    )
})

test('law 6 · a tail that ended goes on behind its last id, and misses nothing', async () => {
  const logs = await logsOn(logFile())
  const seen: number[] = []
  for (let round = 0; round < 10; round++) {
    const after = seen.at(-1) ?? 0
    for (let n = 0; n < 70; n++) logs.store({ message: `n ${n}` })
    seen.push(...(await take(60, logs.subscribe({ when: 'committed', after }))).map(({ id }) => id))
  }
  expect(seen).toEqual(Array.from({ length: 600 }, (_, at) => at + 1))
})

test('without a place to begin, a tail begins with what comes', async () => {
  const logs = await logsOn(logFile())
  await logs.store({ message: 'before' })
  const tail = logs.subscribe({ when: 'committed' })
  const next = tail.next()
  // It begins where the table ends when it has looked, and that is some time after it was asked.
  const got = new AbortController()
  void next.then(() => got.abort())
  for (let n = 0; !got.signal.aborted; n++) await logs.store({ message: `behind ${n}` })
  expect(await next).toMatchObject({ value: { message: expect.stringMatching(/^behind/) } })
  await tail.return(undefined)
})

test('while a tail waits, nothing lingers', async () => {
  const logs = await logsOn(logFile(), { batch: { lingerMs: 3_600_000 } })
  const tail = logs.subscribe({ when: 'committed', after: 0 })
  for (const message of ['first', 'second', 'third']) {
    const next = tail.next()
    logs.store({ message })
    expect(await next).toMatchObject({ value: { message } })
  }
  await tail.return(undefined)
})

test('a filtered tail gives what a search would', async () => {
  const logs = await logsOn(logFile())
  const tail = take(3, logs.subscribe({ when: 'committed', after: 0, text: 'needle', level: 'warn' }))
  for (let n = 0; n < 1_000; n++)
    logs.store({
      message: n % 100 === 7 ? `needle ${n}` : `hay ${n}`,
      level: n % 200 === 7 ? 'error' : 'info',
    })
  expect(messages(await tail)).toEqual(['needle 7', 'needle 207', 'needle 407'])
})

test('law 7 · a slow tail holds nobody up, and still gets everything', async () => {
  const logs = await logsOn(logFile())
  const slow = logs.subscribe({ when: 'committed', after: 0 })
  await Promise.all([slow.next(), logs.store({ message: 'n 0' })])
  for (let n = 1; n < 5_000; n++) {
    if (logs.tidemark.isFull) await logs.tidemark.ready()
    logs.store({ message: `n ${n}` })
  }
  await logs.tidemark.flush()
  expect((await take(4_999, slow)).map(({ id }) => id)).toEqual(
    Array.from({ length: 4_999 }, (_, at) => at + 2),
  )
})

test('law 9 · subscriptions end with the store, and with their signal', async () => {
  const logs = await logsOn(logFile())
  const stop = new AbortController()
  const stopped = logs.subscribe({ when: 'committed', signal: stop.signal }).next()
  const left = logs.subscribe({ when: 'committed' }).next()
  const accepted = logs.subscribe({ when: 'accepted' }).next()
  stop.abort()
  expect(await stopped).toMatchObject({ done: true })
  await logs.close()
  expect(await left).toMatchObject({ done: true })
  expect(await accepted).toMatchObject({ done: true })
})

test('a tail whose newest entries were deleted goes on with what comes', async () => {
  const file = logFile()
  const logs = await logsOn(file)
  for (let n = 0; n < 10; n++) logs.store({ message: `n ${n}` })
  const tail = logs.subscribe({ when: 'committed', after: 0 })
  expect(await take(10, { [Symbol.asyncIterator]: () => ({ next: () => tail.next() }) })).toHaveLength(10)
  const next = tail.next()
  change(file, 'DELETE FROM logs WHERE id > 5')
  // What is stored before it has looked has ids that it was given already; it goes on behind them.
  const got = new AbortController()
  void next.then(() => got.abort())
  for (let n = 0; !got.signal.aborted; n++) await logs.store({ message: `again ${n}` })
  expect(await next).toMatchObject({ value: { message: expect.stringMatching(/^again/) } })
  await tail.return(undefined)
})
