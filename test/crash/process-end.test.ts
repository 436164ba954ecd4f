/** Processes that end without `close`: in peace, by their own will, or by a mistake. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { OtherProcess } from '../support/other-process.ts'

const schema = 'CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, text TEXT NOT NULL)'

function start(file: string, how: string): Child {
  return new Child(new URL('ending.ts', import.meta.url), [file, how])
}

/** The rows are 1, 2, 3, … without gap or repetition, as far as the tidemark says. */
function expectPrefix(file: string, child: Child): number {
  const rows = look<{ n: number }>(file, 'SELECT n FROM rows ORDER BY id').map(({ n }) => n)
  expect(rows).toEqual(Array.from(rows, (_, index) => index + 1))
  expect(look(file, 'SELECT watermark FROM tidemark_writers')).toEqual([{ watermark: rows.length }])
  for (const line of child.lines) {
    const [kind, n] = line.split(' ')
    if (kind === 'committed') expect(Number(n), 'an acknowledged row').toBeLessThanOrEqual(rows.length)
  }
  return rows.length
}

async function expectGoesOn(file: string, rows: number): Promise<void> {
  const db = await open(sqlite(file), { writer: 'ending' })
  expect(look(file, 'SELECT closed FROM tidemark_writers ORDER BY epoch')).toEqual([
    { closed: 1 },
    { closed: 0 },
  ])
  await db.insert('rows', { n: rows + 1, text: 'after' })
  await db.close()
  expect(look(file, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: rows + 1 }])
}

test('law 1 · a script that ends without close stays alive until what it wrote is committed', async () => {
  const file = databaseFile(schema)
  const child = start(file, 'falls-off')
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  expect(expectPrefix(file, child)).toBe(1_234)
})

test('law 1 · one row that nobody waits for keeps a script alive through its linger', async () => {
  const file = databaseFile(schema)
  const child = start(file, 'falls-off-unawaited')
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  expect(expectPrefix(file, child)).toBe(1)
})

test('law 1 · so does a change in a live scope', async () => {
  const file = databaseFile(schema)
  const child = start(file, 'falls-off-live')
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  expect(look(file, 'SELECT n, text FROM rows')).toEqual([{ n: 1, text: 'in memory' }])
})

test('law 8 · a script that only handles effects stays alive for those that others commit later', async () => {
  const file = databaseFile(schema)
  const child = start(file, 'handles')
  await child.said('handles')
  await using db = await open(sqlite(file))
  await db.enqueue({ kind: 'wake' })
  await child.said('delivered')
})

test('law 5 · a script that ended stays alive while another process holds the lock, and commits then', async () => {
  const file = databaseFile(schema)
  const child = start(file, 'falls-off-locked')
  await child.said('open')
  const other = new OtherProcess(file)
  await other.run('BEGIN IMMEDIATE')
  child.tell('go')
  await child.said('written')
  await child.said('retry')
  await other.run('COMMIT')
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  expect(expectPrefix(file, child)).toBe(100)
})

test.for(['idle', 'idle-after-writes'])(
  'law 9 · an engine with nothing to do does not keep its process alive (%s)',
  async (how) => {
    const file = databaseFile(schema)
    const child = start(file, how)
    expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
    expect(expectPrefix(file, child)).toBe(how === 'idle' ? 0 : 100)
  },
)

test.for([
  { how: 'exit', code: 7, what: 'process.exit' },
  { how: 'exception', code: 1, what: 'an uncaught exception' },
  { how: 'rejection', code: 1, what: 'an unhandled rejection' },
])(
  'law 2 · $what amid writes leaves a prefix that holds all that was acknowledged',
  async ({ how, code }) => {
    const file = databaseFile(schema)
    const child = start(file, how)
    expect(await child.ended, child.stderr).toEqual({ code, signal: null })
    const rows = expectPrefix(file, child)
    expect(child.has('committed')).toBe(true)
    await expectGoesOn(file, rows)
  },
)
