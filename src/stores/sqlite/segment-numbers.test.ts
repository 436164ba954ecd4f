import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SegmentNumbers } from './segment-numbers.ts'

let folder: string
let files = 0
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tidemark-numbers-'))))
afterAll(() => rmSync(folder, { recursive: true }))

function connected(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
  return database
}

function connections(count: number): readonly DatabaseSync[] {
  const file = join(folder, `${files++}.db`)
  const [first, ...others] = Array.from({ length: count }, () => connected(file))
  first?.exec('CREATE TABLE tidemark_segments (id INTEGER PRIMARY KEY AUTOINCREMENT)')
  return first === undefined ? [] : [first, ...others]
}

const known = new Map<DatabaseSync, SegmentNumbers>()

function numbersOf(database: DatabaseSync): SegmentNumbers {
  const numbers = known.get(database) ?? new SegmentNumbers(database)
  known.set(database, numbers)
  return numbers
}

/** What one transaction gives. */
function given(database: DatabaseSync, count: number): number[] {
  const numbers = numbersOf(database)
  database.exec('BEGIN IMMEDIATE')
  const first = numbers.take(count)
  const insert = database.prepare('INSERT INTO tidemark_segments VALUES (?)')
  for (let id = first; id < first + count; id++) insert.run(id)
  database.exec('COMMIT')
  return Array.from({ length: count }, (_, index) => first + index)
}

test('law 8 · who opens the database goes on above all that was ever given', () => {
  const [first, second] = connections(2) as [DatabaseSync, DatabaseSync]
  const before = Array.from({ length: 100 }, () => given(first, 1)).flat()
  first.close()
  expect(given(second, 1)[0]).toBeGreaterThan(Math.max(...before))
  second.close()
})

test('law 8 · put back under its connection, a database goes on above what was given', () => {
  const [database] = connections(1) as [DatabaseSync]
  const before = Array.from({ length: 100 }, () => given(database, 1)).flat()
  database.exec('DELETE FROM tidemark_segments WHERE id > 3; UPDATE sqlite_sequence SET seq = 3')
  const after = Array.from({ length: 100 }, () => given(database, 1)).flat()
  expect(Math.min(...after)).toBeGreaterThan(Math.max(...before))
  database.close()
})

test('law 8 · engines on one connection give numbers in the order of their commits', () => {
  const [database] = connections(1) as [DatabaseSync]
  const engines = [new SegmentNumbers(database), new SegmentNumbers(database)] as const
  const all = Array.from({ length: 100 }, (_, turn) => engines[turn % 7 === 0 ? 1 : 0].take(1))
  expect(all).toEqual([...new Set(all)].toSorted((some, others) => some - others))
  database.close()
})

test('law 7 · by turns with another, numbers are taken one at a time, and not used up', () => {
  const databases = connections(2)
  const all = Array.from({ length: 200 }, (_, turn) => given(databases[turn % 2] as DatabaseSync, 1)).flat()
  expect(all).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
  for (const database of databases) database.close()
})

test.each([1, 3])('alone, a stock is noted ever more rarely: %d segments a commit', (count) => {
  const [database] = connections(1) as [DatabaseSync]
  const noted = new Set<unknown>()
  for (let commit = 0; commit < 5_000 / count; commit++) {
    given(database, count)
    noted.add(database.prepare('SELECT seq FROM sqlite_sequence').get()?.['seq'])
  }
  // 1, 2, 4, ... 1,024, and then by 1,024 more.
  expect(noted.size).toBeLessThan(16)
  database.close()
})
