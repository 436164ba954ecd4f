/** A job whose truth is in memory, killed with -9 wherever it is: it goes on from a state that memory had, and loses nothing that was committed. */
import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { chaptersAfter, schema, scopes, type Tables } from './live-states.ts'

const program = new URL('live-process.ts', import.meta.url)
const killAfter = [1, 2, 3, 5, 9, 14, 20, 30]

type Ask = (sql: string) => unknown

async function killAndLook(store: string, ask: Ask, rounds: readonly number[]): Promise<void> {
  const saved = new Map(scopes.map((id) => [id, 0]))
  for (const lines of rounds) {
    const child = new Child(program, [store, 'job'])
    // It comes back with what was committed when it was killed, and not with less.
    for (const id of scopes)
      expect(Number(await child.said(`open ${id}`))).toBeGreaterThanOrEqual(saved.get(id) ?? 0)
    await child.said(`so-far ${lines}`)
    await child.kill()
    for (const line of child.lines) {
      const [word, id = '', step] = line.split(' ')
      if (word === 'saved') saved.set(id, Number(step))
    }
    const books = (await ask('SELECT id, step, chapters FROM books ORDER BY id')) as Tables['books'][]
    const rows = (await ask('SELECT book, n, title FROM chapters')) as Tables['chapters'][]
    for (const { id, step, chapters } of books) {
      const found = new Map(rows.filter(({ book }) => book === id).map(({ n, title }) => [n, title]))
      expect(found, `${id} after ${step} steps`).toEqual(chaptersAfter(step))
      expect(chapters).toBe(found.size)
      expect(step).toBeGreaterThanOrEqual(saved.get(id) ?? 0)
    }
  }
  expect([...saved.values()].every((step) => step > 0)).toBe(true)
}

// SPEC S2.5
test('laws 2, 3 and 4 · a job that is killed with -9 goes on from a state that its memory had', async () => {
  const file = databaseFile(schema)
  await killAndLook(file, (sql) => look(file, sql), killAfter)
  expect(look(file, 'PRAGMA foreign_key_check')).toEqual([])
}, 120_000)

await withServer(embeddedPostgres, (server) => {
  test('laws 2, 3 and 4 · so does one on PostgreSQL', async () => {
    const url = await server.createDatabase()
    for (const sql of schema.split(';').slice(0, -1)) await server.query(sql, url)
    await killAndLook(url, (sql) => server.query(sql, url), killAfter.slice(0, 4))
  }, 120_000)
})
