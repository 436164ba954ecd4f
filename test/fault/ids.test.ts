/** Preallocated ids on a real file: what was told is never told again, whoever dies and whoever else writes. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { OtherProcess } from '../support/other-process.ts'

const schema = 'CREATE TABLE songs (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL)'
const ids = { songs: 'preallocated' } as const

test('law 3 · processes that are killed with -9, their successors, and a program that knows nothing of them never get one id twice', async () => {
  const file = databaseFile(schema)
  const foreign = new OtherProcess(file)
  const owners = new Map<number, string>()
  for (const rounds of [1, 2, 3, 5, 8, 13, 21]) {
    const children = ['a', 'b'].map((writer) => {
      const owner = `${writer}${rounds}`
      return { owner, child: new Child(new URL('ids-process.ts', import.meta.url), [file, writer, owner]) }
    })
    await Promise.all(children.map(({ child }) => child.said('told')))
    await foreign.run("INSERT INTO songs (title) VALUES ('foreign'), ('foreign')")
    for (const { child } of children) await child.said(`round-${rounds}`)
    await foreign.run("INSERT INTO songs (title) VALUES ('foreign')")
    await Promise.all(children.map(({ child }) => child.kill()))
    for (const { owner, child } of children) {
      for (const line of child.lines.filter((said) => said.startsWith('told '))) {
        for (const id of line.split(' ').slice(1).map(Number)) {
          expect(owners.get(id), `id ${id}`).toBeUndefined()
          owners.set(id, owner)
        }
      }
    }
  }
  const rows = look<{ id: number; title: string }>(file, 'SELECT id, title FROM songs')
  expect(rows.filter(({ title }) => title === 'foreign')).toHaveLength(21)
  expect(rows.length).toBeGreaterThan(21)
  for (const { id, title } of rows)
    expect(owners.get(id), `id ${id}`).toBe(title === 'foreign' ? undefined : title)
  expect(look(file, 'SELECT * FROM tidemark_dead_letters')).toEqual([])
  await foreign.close()
}, 60_000)

test('law 7 · while another process holds the lock, the queue is full before the ids are used up', async () => {
  const file = databaseFile(schema)
  const other = new OtherProcess(file)
  const db = await open(sqlite(file, { busyTimeoutMs: 1 }), { ids, queue: { maxOperations: 40 } })
  const told: (number | undefined)[] = []
  for (let round = 0; round < 3; round++) {
    await other.run('BEGIN IMMEDIATE')
    const tried = new Promise<void>((resolve) => void db.on('retry', () => resolve()))
    for (let n = 0; n < 40; n++) told.push(db.insert('songs', { title: 'a' }).id)
    expect(() => db.insert('songs', { title: 'a' })).toThrow(/the queue holds 40 operations/)
    await tried
    await other.run('COMMIT')
    await db.ready()
    await db.flush()
  }
  await db.close()
  expect(look(file, 'SELECT id FROM songs').map(({ id }) => id)).toEqual(told)
  await other.close()
})

test('law 9 · a reservation that cannot be made does not keep an idle process alive', async () => {
  const file = databaseFile(schema)
  const other = new OtherProcess(file)
  const child = new Child(new URL('idle-ids-process.ts', import.meta.url), [file])
  await child.said('committed')
  await other.run('BEGIN IMMEDIATE')
  child.tell('waste')
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  await other.close()
})
