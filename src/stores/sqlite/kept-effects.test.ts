import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Segment } from '../../contracts/effect.ts'
import type { Seq, WriterName } from '../../contracts/position.ts'
import { openEpoch } from './bookkeeping.ts'
import { KeptEffects } from './kept-effects.ts'

let folder: string
let files = 0
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tidemark-kept-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const segment: Segment = {
  kind: 'embed',
  first: 1 as Seq,
  last: 1 as Seq,
  lastN: 0,
  count: 1,
  content: '[[1,0,1],[],[[null,null]],[]]',
}

/** A process that has the database open. */
class Writer {
  readonly database: DatabaseSync
  readonly #kept: KeptEffects

  constructor(file: string) {
    this.database = new DatabaseSync(file)
    this.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
    const newIdentity = { id: 'database', secret: 'secret' }
    const writer = 'w' as WriterName
    const { epoch } = openEpoch(this.database, { writer, leaseMs: 1, nowMs: 0, epochStep: 1, newIdentity })
    this.#kept = new KeptEffects(this.database, epoch, () => 0)
  }

  /** @returns the numbers that are committed */
  write(count: number, end: 'committed' | 'rolled back'): number[] {
    this.database.exec('BEGIN IMMEDIATE')
    this.#kept.keep(Array.from({ length: count }, () => segment))
    const highest = this.database.prepare('SELECT id FROM tidemark_segments ORDER BY id DESC LIMIT ?')
    const ids = highest.all(count).map(({ id }) => Number(id))
    this.database.exec(end === 'rolled back' ? 'ROLLBACK' : 'COMMIT')
    return end === 'rolled back' ? [] : ids.toReversed()
  }
}

const step = fc.record({
  // Stocks grow while one is alone.
  by: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 2),
  count: fc.integer({ min: 0, max: 4 }),
  end: fc.constantFrom('committed', 'committed', 'committed', 'rolled back'),
  isSwept: fc.boolean(),
  isKilled: fc.constantFrom(false, false, false, false, true),
})

test('law 8 · numbers rise from commit to commit, whoever commits and dies, and whatever does not and is swept away', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const file = join(folder, `${files++}.db`)
      const writers = Array.from({ length: 3 }, () => new Writer(file))
      const all: number[] = []
      for (const { by, count, end, isSwept, isKilled } of steps) {
        const writer = writers[by] as Writer
        all.push(...writer.write(count, end))
        if (isSwept) writer.database.exec('DELETE FROM tidemark_segments')
        if (!isKilled) continue
        writer.database.close()
        writers[by] = new Writer(file)
      }
      for (const { database } of writers) database.close()
      expect(all).toEqual([...new Set(all)].toSorted((some, others) => some - others))
    }),
    { numRuns: 100 },
  )
})

test('law 8 · numbers whose transaction was not committed are noted when they are given after all', () => {
  const file = join(folder, `${files++}.db`)
  const writer = new Writer(file)
  // Stocks of 1, 2, 4, 8 and 16 are used up: the next transaction would have noted 32.
  for (let commit = 0; commit < 31; commit++) writer.write(1, 'committed')
  writer.write(1, 'rolled back')
  writer.write(0, 'committed')
  const [last = expect.fail()] = writer.write(1, 'committed')
  writer.database.exec('DELETE FROM tidemark_segments')
  writer.database.close()
  const next = new Writer(file)
  expect(next.write(1, 'committed')[0]).toBeGreaterThan(last)
  next.database.close()
})
