/**
 * What reaches the disk. A test cannot cut the power, nor see a sync without tracing the process from outside; so
 * this one sees to the premise under which SQLite promises the sync: a commit that writes to the log while
 * `synchronous` is FULL (https://www.sqlite.org/pragma.html#pragma_synchronous). That the log is then synced was
 * seen with `strace -f -e trace=fsync,fdatasync,write node --import trace-sql.ts durable-process.ts FILE process`.
 */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { watchThreads } from '../support/threads.ts'

interface Traced {
  readonly sql: string
  readonly grewBy: number
}

const preload = fileURLToPath(new URL('trace-sql.ts', import.meta.url))

/** Runs the program and gives what was executed between two of its marks. */
async function trace(file: string, durability: string): Promise<(from: string, to: string) => Traced[]> {
  const program = new URL('durable-process.ts', import.meta.url)
  const child = new Child(program, [file, durability], { node: ['--import', preload] })
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  const at = (mark: string) => (mark === '' ? 0 : child.lines.indexOf(mark))
  return (from, to) =>
    child.lines
      .slice(at(from), at(to))
      .filter((line) => line.startsWith('sql '))
      .map((line) => JSON.parse(line.slice(4)) as Traced)
}

const texts = (traced: readonly Traced[]): string[] => traced.map(({ sql }) => sql)

test('law 8 · flush({ durable: true }) ends in a commit that is synced, and the ones after it are not again', async () => {
  const file = databaseFile(ledgerSchema)
  const between = await trace(file, 'process')
  expect(texts(between('', 'flushing'))).toContain('PRAGMA synchronous = NORMAL')
  const flush = between('flushing', 'flushed')
  expect(texts(flush)).toEqual([
    'BEGIN IMMEDIATE',
    'COMMIT',
    'PRAGMA synchronous = FULL',
    'BEGIN IMMEDIATE',
    'COMMIT',
    'PRAGMA synchronous = NORMAL',
  ])
  expect(flush[4]?.grewBy, 'a commit that writes nothing would sync nothing').toBeGreaterThan(0)
  expect(texts(between('flushed', 'closing'))).toEqual(['BEGIN IMMEDIATE', 'COMMIT'])
  expect(look(file, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: 3 }])
})

test("law 8 · with durability 'power' every commit is synced, also after a durable flush", async () => {
  const file = databaseFile(ledgerSchema)
  const between = await trace(file, 'power')
  const settings = texts(between('', 'closing')).filter((sql) => sql.includes('synchronous'))
  expect(settings.length).toBeGreaterThan(0)
  expect(settings.every((sql) => sql === 'PRAGMA synchronous = FULL')).toBe(true)
})

test('law 8 · a durable flush finds the idle writer thread dead and syncs on a new one', async () => {
  const file = databaseFile(ledgerSchema)
  const threads = watchThreads()
  const db = await open(sqlite(file))
  const ledger = new Ledger(file)
  await ledger.insert(db)
  await threads[0]?.terminate()
  await Promise.all([db.flush({ durable: true }), db.flush({ durable: true }), db.reloadSchema()])
  expect(db.stats().store.reconnects).toBe(1)
  await ledger.insert(db)
  expect(await ledger.settle()).toMatchObject({ committed: 2 })
  await db.close()
})

test('law 8 · a durable flush that cannot sync says so', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 10 }))
  await new Ledger(file).insert(db)
  await other.run('BEGIN IMMEDIATE')
  await expect(db.flush({ durable: true })).rejects.toMatchObject({
    storeCode: 'SQLITE_BUSY',
    retryable: true,
  })
  await other.run('COMMIT')
  await db.flush({ durable: true })
  await other.run('DELETE FROM tidemark_writers')
  await expect(db.flush({ durable: true })).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await db.close()
})
