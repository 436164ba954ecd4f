/** Effects on a real file, whose process is killed with -9 wherever it is. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'

const program = new URL('effects-process.ts', import.meta.url)
const schema =
  'CREATE TABLE chunks (id TEXT PRIMARY KEY, name TEXT NOT NULL, n INTEGER NOT NULL, acks INTEGER NOT NULL)'

// SPEC S1.1
test('law 8 · whoever is killed with -9, every effect of a row is delivered, in the order of its key, and its ack is committed once', async () => {
  const file = databaseFile(schema)
  const delivered = `${file}.delivered`
  writeFileSync(delivered, '')
  const acknowledged: string[] = []
  const killAfter = [1, 3, 6, 12, 25, 60]
  for (const [round, lines] of killAfter.entries()) {
    const child = new Child(program, [file, 'worker', delivered, round, 100_000])
    await child.said('open')
    while (child.lines.length < lines)
      await child.said(`acknowledged ${round}-${(child.lines.length - 1) * 20}`)
    await child.kill()
    acknowledged.push(
      ...child.lines.flatMap((line) => (line.startsWith('acknowledged ') ? [line.slice(13)] : [])),
    )
  }
  const last = new Child(program, [file, 'worker', delivered, 'last', 0])
  await last.said('done')
  await last.ended

  const rows = look<{ id: string; name: string; n: number; acks: number }>(file, 'SELECT * FROM chunks')
  const known = new Map(rows.map((row) => [row.id, row]))
  for (const id of acknowledged) expect(known.has(id), `acknowledged row ${id}`).toBe(true)
  const told = readFileSync(delivered, 'utf8').trimEnd().split('\n')
  const deliveries = told.map((line) => {
    const [effect = '', key = '', payload = ''] = line.split(' ')
    return { effect, key, id: JSON.parse(payload) as string }
  })
  // None for a write that is not there, and none is missing.
  for (const { id, effect } of deliveries) expect(known.has(id), `effect ${effect} of ${id}`).toBe(true)
  const first = new Map(deliveries.toReversed().map(({ id, ...rest }) => [id, rest]))
  expect(first.size).toBe(rows.length)
  expect(rows.filter(({ acks }) => acks !== 1)).toEqual([])
  // First deliveries of a key come in the order of its writes; a crash may repeat some from before.
  const seen = new Set<string>()
  const places = new Map<string, number>()
  for (const { id, key } of deliveries) {
    if (seen.has(id)) continue
    seen.add(id)
    const [round, n] = id.split('-').map(Number) as [number, number]
    const place = round * 1e6 + n
    expect(place, `${id} behind ${places.get(key)}`).toBeGreaterThan(places.get(key) ?? -1)
    places.set(key, place)
  }
  expect(rows.length).toBeGreaterThan(500)
  for (const table of ['tidemark_segments', 'tidemark_effects'])
    expect(look(file, `SELECT count(*) AS count FROM ${table}`), table).toEqual([{ count: 0 }])
}, 120_000)
