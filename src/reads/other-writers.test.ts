import { expect, test } from 'vitest'
import type { Epoch, Mark, Seq, WriterName } from '../contracts/position.ts'
import type { Snapshot, WriterTidemark } from '../contracts/store.ts'
import { StoreError } from '../errors.ts'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { ScriptedStore } from '../../test/support/scripted-store.ts'
import { Deadline } from './deadline.ts'
import { OtherWriters } from './other-writers.ts'

const query = { sql: 'SELECT 1', parameters: [] }
const result = { rows: [{ one: 1 }], changes: 0, lastInsertId: undefined }
const wanted: Mark = { epoch: 7 as Epoch, seq: 10 as Seq }

/** A database with one other writer, of epoch 7, that waits at 5 of 10. */
function waiting() {
  const runtime = new FakeRuntime()
  const row = { watermark: 5, isClosed: false }
  const log: string[] = []
  let end = (seen: WriterTidemark): boolean => {
    if (seen.watermark === row.watermark) row.isClosed = true
    return row.isClosed
  }
  const tidemark = (): WriterTidemark => ({
    writer: 'w' as WriterName,
    epoch: wanted.epoch,
    watermark: row.watermark as Seq,
    isClosed: row.isClosed,
    leaseMs: 1_000,
  })
  const store = Object.assign(new ScriptedStore(), {
    snapshot: async (): Promise<Snapshot> => ({
      tidemarks: [tidemark()],
      forgottenUpTo: 6 as Epoch,
      result: row.watermark >= wanted.seq ? result : undefined,
    }),
    endEpoch: async (seen: WriterTidemark) => {
      if (seen.watermark >= 0) log.push(`end at ${seen.watermark}`)
      return end(seen)
    },
  })
  const others = new OtherWriters(
    store,
    runtime,
    ({ watermark }, known) => new Error(`went back from ${known} to ${watermark}`),
  )
  const read = (timeoutMs = 60_000) =>
    others.read(query, [wanted], new Deadline(runtime, { timeoutMs, signal: undefined }))
  return { runtime, row, log, store, others, read, whenEnding: (what: () => boolean) => (end = what) }
}

async function pass(runtime: FakeRuntime, ms: number): Promise<void> {
  // In small steps, since every pause is set when the one before is over.
  for (let passed = 0; passed < ms; passed += 10) await runtime.advance(10)
}

test('law 6 · it reads when the other writer has come so far, and remembers that it has', async () => {
  const { runtime, row, log, others, read } = waiting()
  expect(others.unknown(new Map([[wanted.epoch, wanted.seq]]))).toEqual([wanted])
  const reading = read()
  await pass(runtime, 100)
  row.watermark = 12
  await pass(runtime, 30)
  expect((await reading).result).toBe(result)
  expect(others.unknown(new Map([[wanted.epoch, wanted.seq]]))).toEqual([])
  expect(others.unknown(new Map([[wanted.epoch, 13 as Seq]]))).toHaveLength(1)
  expect(log).toEqual([])
})

test('law 6 · a writer that is silent for its lease is ended, and what it had accepted is lost', async () => {
  const { runtime, log, read } = waiting()
  const reading = expect(read()).rejects.toMatchObject({ code: 'POSITION_LOST' })
  await pass(runtime, 1_900)
  // Its lease is over, and it has a grace to take the lock that was found free.
  expect(log).toEqual([])
  await pass(runtime, 200)
  await reading
  expect(log).toEqual(['end at 5'])
})

test('law 6 · a writer that commits within its grace is not taken for dead', async () => {
  const { runtime, row, log, read } = waiting()
  const reading = expect(read(2_500)).rejects.toMatchObject({ code: 'STALE_READ' })
  await pass(runtime, 1_800)
  row.watermark = 6
  await pass(runtime, 800)
  await reading
  expect(log).toEqual([])
})

test('law 6 · while nobody looks, no silence is counted: not between two reads, and not while this process stood still', async () => {
  const { runtime, log, read } = waiting()
  const first = expect(read(100)).rejects.toMatchObject({ code: 'STALE_READ' })
  await pass(runtime, 110)
  await first
  await runtime.advance(60_000)
  const second = expect(read(100)).rejects.toMatchObject({ code: 'STALE_READ' })
  await pass(runtime, 110)
  await second
  expect(log).toEqual([])
})

test('law 6 · a writer that commits anything begins its lease anew', async () => {
  const { runtime, row, log, read } = waiting()
  const reading = expect(read(4_000)).rejects.toMatchObject({ code: 'STALE_READ' })
  for (const watermark of [6, 7, 8, 9]) {
    await pass(runtime, 900)
    row.watermark = watermark
  }
  await pass(runtime, 500)
  await reading
  expect(log).toEqual([])
})

test('law 6 · the silence is remembered from one read to the next', async () => {
  const { runtime, log, read } = waiting()
  const first = expect(read(600)).rejects.toMatchObject({ code: 'STALE_READ' })
  await pass(runtime, 620)
  await first
  const second = expect(read(1_800)).rejects.toMatchObject({ code: 'POSITION_LOST' })
  await pass(runtime, 1_600)
  await second
  expect(log).toHaveLength(1)
})

test('law 6 · while somebody holds the lock nobody is taken for dead: the silence is counted anew', async () => {
  const { runtime, row, log, read, whenEnding } = waiting()
  let tries = 0
  whenEnding(() => {
    tries++
    throw new StoreError('transient', 'database is locked', { storeCode: 'SQLITE_BUSY' })
  })
  const reading = expect(read(3_500)).rejects.toMatchObject({ code: 'STALE_READ' })
  await pass(runtime, 3_600)
  await reading
  expect([tries, log, row.isClosed]).toEqual([3, [], false])
})

test('law 6 · what the store fails with is told, if it is not the lock', async () => {
  const { runtime, read, whenEnding } = waiting()
  whenEnding(() => {
    throw new StoreError('fatal', 'the disk is gone')
  })
  const reading = expect(read()).rejects.toMatchObject({ failure: 'fatal' })
  await pass(runtime, 1_100)
  await reading
})

test('law 10 · another writer whose tidemark is behind where it was seen: the database went back in time', async () => {
  const { row, read } = waiting()
  row.watermark = 12
  await read()
  row.watermark = 11
  await expect(read()).rejects.toThrow('went back from 12 to 11')
})

test('law 10 · a snapshot that began before another was answered may be older, and is no sign of it', async () => {
  const { row, store, others, read } = waiting()
  row.watermark = 12
  const newer = await store.snapshot()
  row.watermark = 11
  const older = await store.snapshot()
  const late = Promise.withResolvers<Snapshot>()
  const answers = [late.promise, Promise.resolve(newer)]
  store.snapshot = () => answers.shift() as Promise<Snapshot>
  const slow = read()
  await read()
  late.resolve(older)
  expect((await slow).tidemarks[0]?.watermark).toBe(11)
  expect(others.unknown(new Map([[wanted.epoch, 12 as Seq]]))).toEqual([])
})
