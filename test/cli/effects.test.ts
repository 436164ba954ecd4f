/** Effects from the command line: what waits, what was given up, and what a person does about it. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { change, look, temporaryFolder } from '../support/database-file.ts'
import { succeed, tidemark } from './command.ts'

const ndjson = (text: string): unknown[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]))

test('what waits and what is dead is listed; redriven, it is tried again; paused, nothing is', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'app.db')
  change(file, 'CREATE TABLE chunks (id INTEGER PRIMARY KEY)')
  const list = async (...words: string[]): Promise<unknown[]> =>
    ndjson(await succeed(folder, 'effects', ...words, '--format', 'ndjson'))
  expect(await list()).toEqual([])

  const db = await open<{ chunks: { id: number } }>(sqlite(file))
  const dead = new Promise<void>((resolve) => void db.on('alert', () => resolve()))
  await db.effects.handle('embed', async (effects) =>
    effects.map(() => ({ kind: 'dead', error: new Error('no model') })),
  )
  const receipt = db.insert(
    'chunks',
    { id: 1 },
    { effects: [{ kind: 'embed', payload: { n: 1 } }, { kind: 'cache' }] },
  )
  await dead
  await db.close()

  expect(await list()).toMatchObject([
    { kind: 'cache', queued: 1, waiting: 0, dead: 0, lanes: 0, held: 0, isPaused: false },
    { kind: 'embed', queued: 0, waiting: 0, dead: 1, lagMs: 0, lanes: 1, held: 0, isPaused: false },
  ])
  const id = receipt.effectId()
  expect(await list('dead')).toMatchObject([
    { id, kind: 'embed', key: '1', attempts: 1, error: 'Error: no model', payload: '{"n":1}' },
  ])
  expect(await list('dead', '--kind', 'cache')).toEqual([])
  expect(await list('waiting')).toEqual([])

  expect(await succeed(folder, 'effects', 'redrive', id)).toBe(`effect ${id}: to be tried again\n`)
  expect(await list()).toMatchObject([{ kind: 'cache' }, { kind: 'embed', waiting: 1, dead: 0 }])
  expect(await list('waiting')).toMatchObject([{ id, key: '1', attempts: 0, error: 'Error: no model' }])
  const again = await tidemark(folder, 'effects', 'discard', id)
  expect(again).toMatchObject({ code: 1, stdout: `effect ${id}: is not dead\n` })

  expect(await succeed(folder, 'effects', 'pause', 'embed')).toContain('are paused')
  expect(await list()).toMatchObject([
    { kind: 'cache', isPaused: false },
    { kind: 'embed', isPaused: true },
  ])
  expect(await succeed(folder, 'effects', 'resume', 'embed')).toContain('are delivered again')
  const unknown = await tidemark(folder, 'effects', 'pause', 'nothing')
  expect(unknown).toMatchObject({ code: 1 })
  expect(unknown.stderr).toContain('no effects of kind "nothing" were ever handled in app.db')
})

test('an id that is none is said, and nothing is done', async () => {
  const folder = temporaryFolder()
  change(path.join(folder, 'app.db'), 'CREATE TABLE chunks (id INTEGER PRIMARY KEY)')
  const refused = await tidemark(folder, 'effects', 'redrive', 'seven')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('"seven" is no id of an effect')
})

test('rows without their effect are told, and enqueued only when asked to; orphans go', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'app.db')
  change(
    file,
    `CREATE TABLE chunks (id INTEGER PRIMARY KEY, vector TEXT);
     INSERT INTO chunks VALUES (1, NULL), (2, 'there'), (3, NULL)`,
  )
  {
    await using db = await open(sqlite(file))
    const dead = new Promise<void>((resolve) => void db.on('alert', () => resolve()))
    await db.effects.handle('embed', async (effects) =>
      effects.map(() => ({ kind: 'dead', error: new Error('no model') })),
    )
    await db.enqueue({ kind: 'embed', key: 7 })
    await dead
  }
  const recover = (...words: string[]): ReturnType<typeof tidemark> =>
    tidemark(
      folder,
      'effects',
      'recover',
      'embed',
      '--missing',
      'SELECT id AS key FROM chunks WHERE vector IS NULL ORDER BY id',
      '--existing',
      'SELECT id AS key FROM chunks',
      ...words,
    )
  const told = await recover()
  expect(told.stdout).toMatch(
    /^rows without an effect: 2 \(1, 3\)\n.*: 0\n.*: none\ndead effects without a row: 1 \(\S+\)\nnothing was changed/,
  )
  expect((await recover()).stdout).toBe(told.stdout)
  expect((await recover('--apply')).stdout).toMatch(/\(1, 3\); enqueued\n[^]*; discarded\n$/)
  expect((await recover('--apply')).stdout).toMatch(/^rows without an effect: none\n.*on its way: 2\n/)
  const list = ndjson(await succeed(folder, 'effects', '--format', 'ndjson'))
  expect(list).toMatchObject([{ kind: 'embed', queued: 2, dead: 0 }])
})

test('a recovery whose query writes, or is none, is refused and changes nothing', async () => {
  const folder = temporaryFolder()
  const file = path.join(folder, 'app.db')
  change(file, 'CREATE TABLE chunks (id INTEGER PRIMARY KEY); INSERT INTO chunks VALUES (1)')
  const recover = (...words: string[]): ReturnType<typeof tidemark> =>
    tidemark(folder, 'effects', 'recover', 'embed', ...words)
  for (const sql of [
    'DELETE FROM chunks RETURNING id AS key',
    'SELECT nothing FROM chunks',
    'SELECT id FROM chunks',
  ]) {
    const refused = await recover('--missing', sql, '--apply')
    expect(refused.code, sql).toBeGreaterThan(0)
    expect(refused.stderr, sql).toMatch(/^tidemark: /)
  }
  expect(look(file, 'SELECT count(*) AS n FROM chunks')).toEqual([{ n: 1 }])
  const without = await recover()
  expect(without).toMatchObject({ code: 2 })
  expect(without.stderr).toContain('nothing says which rows should have an effect')
})
