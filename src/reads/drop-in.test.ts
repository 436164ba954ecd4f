import type { Kysely } from 'kysely'
import { expect, test } from 'vitest'
import type { Dialect } from '../contracts/store.ts'
import { QueueFullError, StoreError } from '../errors.ts'
import type { WriteLane } from '../writes/write-lane.ts'
import { dropIn, type DropInPorts } from './drop-in.ts'

interface DB {
  songs: { id: number; cover: Uint8Array }
}

/** A drop-in over a lane whose calls are the test's. */
function over(
  write: (query: { parameters: readonly unknown[] }) => unknown,
  ports: Partial<Omit<DropInPorts, 'lane'>> = {},
): Kysely<DB> {
  const fail = (): never => expect.fail('not called')
  const answer = { rows: [{ id: 1 }], changes: 0, lastInsertId: undefined }
  const lane = {
    operations: { write },
    group: fail,
    load: fail,
    transaction: async (work: (transaction: unknown) => unknown) =>
      await work({ query: () => Promise.resolve(answer) }),
  } as unknown as WriteLane
  return dropIn<DB>({ lane, read: fail, whenRoom: fail, dialect: 'sqlite', ...ports })
}

test('law 1 · a write whose count was lost is not told to have changed nothing', async () => {
  const db = over(() => Promise.resolve({ position: {} }))
  const updating = db.updateTable('songs').set({ id: 2 }).executeTakeFirst()
  await expect(updating).rejects.toMatchObject({
    code: 'STORE_FAILED',
    outcome: 'unknown',
    retryable: false,
    message: expect.stringContaining('IS committed') as string,
  })
})

test('law 7 · a write waits as long as the queue is full, with the values that it was called with', async () => {
  const cover = Uint8Array.of(1)
  let refusals = 3
  const db = over(
    ({ parameters }) => {
      if (refusals-- > 0) throw new QueueFullError('it is full.', 1)
      expect(parameters).toEqual([1n, Uint8Array.of(1)])
      return Promise.resolve({ changes: 1 })
    },
    { whenRoom: async () => void cover.fill(9) },
  )
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('songs')
    .values({ id: 1, cover })
    .executeTakeFirstOrThrow()
  expect(numInsertedOrUpdatedRows).toBe(1n)
})

test.for([
  ['postgres', '25006', true],
  ['postgres', '42P01', false],
  ['mysql', '25006', false],
] as const)(
  'a read that fails on %s with %s is run again as a transaction: %s',
  async ([dialect, storeCode, isRunAgain]: readonly [Dialect, string, boolean]) => {
    const read = () => Promise.reject(new StoreError('rejected', 'no.', { storeCode }))
    const reading = over(() => expect.fail('not called'), { read, dialect })
      .selectFrom('songs')
      .selectAll()
    if (isRunAgain) expect(await reading.execute()).toEqual([{ id: 1 }])
    else await expect(reading.execute()).rejects.toMatchObject({ storeCode })
  },
)
