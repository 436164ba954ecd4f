/** Files that cannot be opened: each is refused with a code, the file's name and what to do, and left as it was. */
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, type TestContext } from 'vitest'
import { open, StoreError } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { change, databaseFile, look, temporaryFolder } from '../support/database-file.ts'
import { Ledger, ledgerSchema } from '../support/ledger.ts'
import { OtherProcess } from '../support/other-process.ts'
import { watchThreads } from '../support/threads.ts'

/** Fails to open it here, in this process. */
async function failure(file: string, busyTimeoutMs = 10): Promise<StoreError> {
  const threads = watchThreads()
  const error: unknown = await open(sqlite(file, { busyTimeoutMs })).catch((reason: unknown) => reason)
  if (!(error instanceof StoreError)) return expect.fail(`a StoreError, not ${String(error)}`)
  expect(error.message).toContain(file)
  expect(
    threads.map(({ threadId }) => threadId),
    'no thread is left',
  ).toEqual([-1])
  return error
}

// SPEC S4.5
test('law 1 · a file that is not a database is refused and left as it was', async () => {
  const file = path.join(temporaryFolder(), 'notes.txt')
  const text = 'These are notes, and no database at all. '.repeat(200)
  writeFileSync(file, text)
  expect(await failure(file)).toMatchObject({
    code: 'STORE_FAILED',
    storeCode: 'SQLITE_NOTADB',
    failure: 'fatal',
    retryable: false,
    hint: expect.stringContaining('not an SQLite database'),
  })
  expect(readFileSync(file, 'utf8')).toBe(text)
})

test('law 1 · a directory and a file in a missing folder are refused', async () => {
  const folder = temporaryFolder()
  mkdirSync(path.join(folder, 'app.db'))
  for (const file of [path.join(folder, 'app.db'), path.join(folder, 'missing', 'app.db')]) {
    expect(await failure(file)).toMatchObject({
      code: 'STORE_FAILED',
      storeCode: 'SQLITE_CANTOPEN',
      hint: expect.stringContaining('its folder exists'),
    })
  }
})

test.for(['wal', 'delete'])(
  'law 1 · a file that another process has locked is refused, and opens later (%s)',
  async (mode) => {
    const file = databaseFile(ledgerSchema)
    change(file, `PRAGMA journal_mode = ${mode}`)
    const other = new OtherProcess(file)
    await other.run('BEGIN EXCLUSIVE')
    expect(await failure(file)).toMatchObject({
      code: 'STORE_FAILED',
      storeCode: 'SQLITE_BUSY',
      retryable: true,
      hint: expect.stringContaining('busyTimeoutMs'),
    })
    await other.run('COMMIT')

    const db = await open(sqlite(file))
    const ledger = new Ledger(file)
    await ledger.insert(db)
    await db.close()
    expect(await ledger.settle()).toMatchObject({ committed: 1 })
  },
)

test('law 1 · opening waits for the lock as long as it was told to', async () => {
  const file = databaseFile(ledgerSchema)
  const other = new OtherProcess(file)
  await other.run('BEGIN EXCLUSIVE')
  const started = once(process, 'worker') as Promise<[Worker]>
  const opening = open(sqlite(file, { busyTimeoutMs: 600_000 }))
  // One that came after it has given up already, so this one is waiting.
  await once((await started)[0], 'online')
  await expect(open(sqlite(file, { busyTimeoutMs: 10 }))).rejects.toMatchObject({ storeCode: 'SQLITE_BUSY' })
  await other.run('COMMIT')
  await (await opening).close()
  expect(look(file, 'SELECT epoch, closed FROM tidemark_writers')).toEqual([
    { epoch: expect.any(Number), closed: 1 },
  ])
})

/** Somebody without rights. Permissions mean nothing to root, so its tests act as "nobody". */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined

async function failureWithoutRights(file: string, context: TestContext): Promise<unknown> {
  const program = new URL('open-process.ts', import.meta.url)
  const child = new Child(program, [file], nobody === undefined ? {} : { user: nobody })
  await child.ended
  if (child.stderr.includes('EACCES')) context.skip('another user may not read the sources here')
  if (child.stderr !== '') return expect.fail(child.stderr)
  return JSON.parse(await child.said('failed')) as unknown
}

function lockedAway(journalMode: string): { file: string; folder: string } {
  const file = databaseFile(ledgerSchema)
  change(file, `PRAGMA journal_mode = ${journalMode}`)
  const folder = path.dirname(file)
  chmodSync(folder, 0o777)
  onTestFinished(() => chmodSync(folder, 0o777))
  chmodSync(file, 0o666)
  return { file, folder }
}

test.for(['wal', 'delete'])(
  'law 1 · a read-only file is refused when it is opened (%s)',
  async (mode, context) => {
    const { file } = lockedAway(mode)
    chmodSync(file, 0o444)
    expect(await failureWithoutRights(file, context)).toMatchObject({
      code: 'STORE_FAILED',
      storeCode: 'SQLITE_READONLY',
      failure: 'fatal',
      message: expect.stringContaining(file),
      hint: expect.stringContaining('write permission'),
    })
  },
)

test.for(['wal', 'delete'])(
  'law 1 · a file in a read-only folder is refused when it is opened (%s)',
  async (mode, context) => {
    const { file, folder } = lockedAway(mode)
    chmodSync(folder, 0o555)
    expect(await failureWithoutRights(file, context)).toMatchObject({
      code: 'STORE_FAILED',
      storeCode: 'SQLITE_READONLY',
      failure: 'fatal',
      hint: expect.stringContaining('on its folder'),
    })
  },
)

test('law 1 · a new file in a read-only folder and an unreadable file are refused', async (context) => {
  const { file, folder } = lockedAway('wal')
  chmodSync(file, 0)
  chmodSync(folder, 0o555)
  for (const name of [file, path.join(folder, 'new.db')]) {
    expect(await failureWithoutRights(name, context)).toMatchObject({
      code: 'STORE_FAILED',
      storeCode: 'SQLITE_CANTOPEN',
      message: expect.stringContaining(name),
      hint: expect.stringContaining('may read and write'),
    })
  }
})
