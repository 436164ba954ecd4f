/** Two engines on one writer name: the newer one wins, and from that moment on nothing of the older one happens. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { next } from '../support/events.ts'
import { Ledger, ledgerSchema, type AnyTidemark } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'

const queue = { maxOperations: 2_000, whenFull: 'wait' } as const

/** The older engine has stopped, told every caller, and left behind exactly what its tidemark says. */
async function expectFenced(file: string, older: AnyTidemark, ledger: Ledger): Promise<void> {
  expect(ledger.unsettled).toBe(0)
  const tally = await ledger.check()
  expect(tally.unknown, 'a fenced batch has surely changed nothing').toBe(0)
  expect(look(file, `SELECT watermark, closed FROM tidemark_writers WHERE epoch = ${older.epoch}`)).toEqual([
    { watermark: tally.committed, closed: 1 },
  ])
  expect(() => ledger.insert(older)).toThrow(expect.objectContaining({ code: 'FENCED' }))
}

/** Writes without pause until the engine refuses. */
async function writeUntilRefused(db: AnyTidemark, ledger: Ledger): Promise<unknown> {
  for (;;) {
    try {
      ledger.insertMany(db, 100)
      if (db.isFull) await db.ready()
      await nextTurn()
    } catch (error) {
      return error
    }
  }
}

test('law 3 · an engine whose writer name is opened anew in this process is fenced with its batches in flight', async () => {
  const file = databaseFile(ledgerSchema)
  for (let round = 0; round < 4; round++) {
    const older = await open(sqlite(file), { writer: 'w', batch: { maxOperations: 50 }, queue })
    const ledger = new Ledger(file, `older ${round}`)
    const fenced = next(older, 'fenced')
    const refused = writeUntilRefused(older, ledger)

    const newer = await open(sqlite(file), { writer: 'w' })
    const olderRows = () => look(file, 'SELECT count(*) AS n FROM rows WHERE writer = ?', `older ${round}`)
    const before = olderRows()
    expect(newer.epoch).toBeGreaterThan(older.epoch)
    const own = new Ledger(file, `newer ${round}`)
    own.insertMany(newer, 100)

    expect(await fenced).toMatchObject({ error: { code: 'FENCED' } })
    expect(await refused).toMatchObject({ code: 'FENCED' })
    await expectFenced(file, older, ledger)
    expect(olderRows(), 'no row of the older one was applied after the newer one had opened').toEqual(before)
    expect(await own.settle()).toMatchObject({ committed: 100 })
    await expect(older.close()).rejects.toMatchObject({ code: 'FENCED' })
    await newer.close()
  }
})

test('law 3 · a batch that waits for the lock when another engine takes the name is applied before it or never', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  for (let round = 0; round < 4; round++) {
    const older = await open(sqlite(file), { writer: 'w', batch: { maxOperations: 50 } })
    const ledger = new Ledger(file, `older ${round}`)
    await other.run('BEGIN IMMEDIATE')
    ledger.insertMany(older, 500)
    const opening = open(sqlite(file), { writer: 'w' })
    await other.run('COMMIT')
    const newer = await opening

    expect(await ledger.insert(older).outcome()).toMatchObject({
      kind: 'abandoned',
      error: { code: 'FENCED', outcome: 'not-committed' },
    })
    await expectFenced(file, older, ledger)
    await expect(older.close()).rejects.toMatchObject({ code: 'FENCED' })
    await newer.close()
  }
})

test('law 3 · an engine in another process fences this one, and both leave exactly what they acknowledged', async () => {
  const file = databaseFile(ledgerSchema)
  const older = await open(sqlite(file), { writer: 'w', batch: { maxOperations: 50 }, queue })
  const ledger = new Ledger(file)
  const fenced = next(older, 'fenced')
  const child = new Child(new URL('engine-process.ts', import.meta.url), [file, 'w', 500, 'child'])

  expect(await writeUntilRefused(older, ledger)).toMatchObject({ code: 'FENCED' })
  await fenced
  const epoch = Number(await child.said('open'))
  expect(epoch).toBeGreaterThan(older.epoch)
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  await expectFenced(file, older, ledger)
  expect(look(file, "SELECT count(*) AS n FROM rows WHERE writer = 'child'")).toEqual([{ n: 500 }])
  expect(look(file, 'SELECT watermark, closed FROM tidemark_writers WHERE epoch = ?', epoch)).toEqual([
    { watermark: 500, closed: 1 },
  ])
  await expect(older.close()).rejects.toMatchObject({ code: 'FENCED' })
})

test('law 3 · a process that was paused while another took its name wakes up fenced, and adds nothing', async () => {
  const file = databaseFile(ledgerSchema)
  const zombie = new Child(new URL('zombie-process.ts', import.meta.url), [file, 'w'])
  await zombie.said('writing')
  zombie.pause()
  // It may have been paused with the write lock in its hand: then it is given another chance to let go.
  let newer: AnyTidemark | undefined
  while (newer === undefined) {
    newer = await open(sqlite(file, { busyTimeoutMs: 50 }), { writer: 'w' }).catch(() => undefined)
    if (newer !== undefined) break
    zombie.resume()
    await nextTurn()
    zombie.pause()
  }
  const ledger = new Ledger(file)
  ledger.insertMany(newer, 500)
  await ledger.settle()
  const rowsOfZombie = () =>
    look<{ n: number }>(file, "SELECT count(*) AS n FROM rows WHERE writer = 'zombie'")
  const before = rowsOfZombie()
  zombie.resume()

  const [code, committed, unsettled] = (await zombie.said('stopped')).split(' ')
  expect(await zombie.ended, zombie.stderr).toEqual({ code: 0, signal: null })
  expect({ code, unsettled }).toEqual({ code: 'FENCED', unsettled: '0' })
  expect(rowsOfZombie()).toEqual(before)
  expect(before).toEqual([{ n: Number(committed) }])
  expect(await ledger.settle()).toMatchObject({ committed: 500 })
  await newer.close()
})

test('law 3 · an interactive transaction of a fenced engine never begins', async () => {
  const file = databaseFile(ledgerSchema)
  const older = await open(sqlite(file), { writer: 'w' })
  const newer = await open(sqlite(file), { writer: 'w' })
  let runs = 0
  const transaction = older.transaction(async () => runs++)
  await expect(transaction).rejects.toMatchObject({ code: 'FENCED', outcome: 'not-committed' })
  expect(runs).toBe(0)
  await expect(older.close()).rejects.toMatchObject({ code: 'FENCED' })
  await newer.close()
})
