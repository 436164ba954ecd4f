import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Group, Load, Run, Shape } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { BatchOutcome } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { readSchema } from '../stores/sqlite/schema.ts'
import { newRun, PendingBatch } from './batch.ts'
import type { PendingTable } from './pending-table.ts'
import { PendingIndex } from './pending.ts'
import { ShapeBook } from './shapes.ts'

const database = new DatabaseSync(':memory:')
database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v);
  CREATE TABLE other (id TEXT PRIMARY KEY, v);
  CREATE TABLE keyless (v)`)
const schema = readSchema(database)
const book = new ShapeBook(schema)
const shapes = {
  insert: book.table('t').insert(['v', 'id']).shape,
  upsert: book.table('t').upsert(['id', 'v']).shape,
  update: book.table('t').update(['v'], ['id'], undefined).shape,
  delete: book.table('t').delete(['id'], undefined).shape,
} satisfies Record<string, Shape>
const outcome: BatchOutcome = { results: [], rejections: [], transactions: 1, longestTransactionMs: 0 }

function valuesFor(kind: keyof typeof shapes, id: Value): Value[] {
  if (kind === 'delete') return [id]
  return kind === 'upsert' ? [id, 'v'] : ['v', id]
}

/** An index, and the batches that are accepted into it, oldest first. */
class Line {
  readonly index = new PendingIndex(schema)
  readonly batches: PendingBatch[] = []
  last = 0 as Seq

  open(): PendingBatch {
    const batch = new PendingBatch(this.last, 0)
    this.batches.push(batch)
    return batch
  }

  one(shape: Shape, values: readonly Value[], bytes = 0): Seq {
    const batch = this.batches.at(-1) ?? this.open()
    const run = batch.runFor(shape)
    run.values.push(...values)
    this.last = batch.extend(run, bytes)
    this.index.add(batch, run, run.count - 1, this.last)
    return this.last
  }

  step(step: Group | Load): void {
    const batch = this.batches.at(-1) ?? this.open()
    const positions = step.kind === 'load' ? step.positions : 1
    this.last = batch.add(step, positions, 1, 0)
    this.index.addStep(batch, step, (this.last - positions + 1) as Seq)
  }

  /** Settles everything up to a position, as the committer does: batch by batch, the last one perhaps in part. */
  settle(upTo: number): void {
    for (let batch = this.batches[0]; batch && batch.prev < upTo; batch = this.batches[0]) {
      const watermark = Math.min(batch.last, upTo) as Seq
      this.index.settling(batch, { watermark, outcome })
      batch.advance(watermark, [], [])
      if (batch.state !== 'pending') this.batches.shift()
      else return
    }
  }

  table(name: string): PendingTable {
    return this.index.table(name) ?? expect.fail()
  }

  /** The positions that are pending for a row, oldest first. */
  seqsOf(id: number): number[] {
    return this.table('t')
      .operationsOn(id)
      .map(({ seq }) => seq)
  }
}

function runOf(kind: keyof typeof shapes, ids: readonly number[]): Run {
  const values = ids.flatMap((id) => valuesFor(kind, id))
  return { ...newRun(shapes[kind]), count: ids.length, values }
}

const kind = fc.constantFrom('insert', 'upsert', 'update', 'delete')
const id = fc.integer({ min: 0, max: 4 })
const ids = fc.array(id, { minLength: 1, maxLength: 4 })
const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('one' as const), kind, id }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('group' as const), kind, ids }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('load' as const), kind, ids }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('open' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('settle' as const),
      part: fc.nat(9).map((tenths) => (tenths + 1) / 10),
    }),
  },
)

test('laws 6 and 7 · a row has exactly its operations that are accepted and not settled; in the end nothing is left', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 20, maxLength: 60 }), (actions) => {
      const line = new Line()
      const accepted: { id: number; seq: number }[] = []
      /** Where the tidemark may stand: never within a load. */
      const stops = [0]
      let settled = 0
      for (const one of actions) {
        if (one.does === 'one') {
          accepted.push({ id: one.id, seq: line.one(shapes[one.kind], valuesFor(one.kind, one.id)) })
        } else if (one.does === 'group') {
          line.step({ kind: 'group', runs: [runOf(one.kind, one.ids)], redrives: undefined })
          accepted.push(...one.ids.map((each) => ({ id: each, seq: line.last })))
        } else if (one.does === 'load') {
          const positions = one.ids.length + 1
          const from = line.last + 1
          const letters = [{ table: 't', text: '', error: '' }]
          line.step({
            kind: 'load',
            positions,
            runs: [runOf(one.kind, one.ids)],
            letters,
            checkpoint: undefined,
          })
          accepted.push(...one.ids.map((each, index) => ({ id: each, seq: from + index })))
        } else if (one.does === 'open') {
          if (line.batches.at(-1)?.isEmpty !== true) line.open()
        } else {
          settled = Math.max(settled, stops[Math.floor(one.part * (stops.length - 1))] ?? 0)
          line.settle(settled)
          // What was sent takes nothing more.
          if (line.batches.at(-1)?.isEmpty !== true) line.open()
        }
        if (stops.at(-1) !== line.last) stops.push(line.last)
        for (const each of [0, 1, 2, 3, 4]) {
          const pending = accepted.filter(({ id: at, seq }) => at === each && seq > settled)
          expect(line.seqsOf(each)).toEqual(pending.map(({ seq }) => seq))
        }
      }
      // Those that are left are abandoned, which empties it too.
      for (const batch of line.batches)
        line.index.settling(batch, { watermark: batch.prev, outcome: undefined })
      for (const each of [0, 1, 2, 3, 4]) expect(line.seqsOf(each)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('laws 6 and 7 · the same where thousands are pending, in many generations', () => {
  const settles = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 900 }), fc.double({ min: 0, max: 1, noNaN: true })),
    {
      minLength: 5,
      maxLength: 20,
    },
  )
  fc.assert(
    fc.property(settles, (given) => {
      const line = new Line()
      const accepted: { id: number; seq: number }[] = []
      let settled = 0
      for (const [count, part] of given) {
        for (let one = 0; one < count; one++) {
          const row = (7 * accepted.length) % 41
          accepted.push({ id: row, seq: line.one(shapes.upsert, [row, 'v']) })
        }
        line.open()
        settled += Math.floor(part * (line.last - settled))
        line.settle(settled)
        for (const each of [0, 1, 40]) {
          const pending = accepted.filter(({ id: at, seq }) => at === each && seq > settled)
          expect(line.seqsOf(each)).toEqual(pending.map(({ seq }) => seq))
        }
      }
      line.settle(line.last)
      expect(line.seqsOf(0)).toEqual([])
    }),
    { numRuns: 50 },
  )
})

test.for([
  ['many', 1_000, 0],
  ['large', 1, 2 ** 21],
] as const)('law 7 · of %s rows that are settled few are held', ([, perBatch, bytes]) => {
  const line = new Line()
  for (let batch = 0; batch < 50; batch++) {
    line.open()
    for (let one = 0; one < perBatch; one++) line.one(shapes.upsert, [line.last, 'v'], bytes)
    line.settle(line.last - perBatch)
    expect(line.table('t').held).toBeLessThanOrEqual(3 * perBatch)
  }
  line.settle(line.last)
  expect(line.table('t').held).toBe(0)
})

test('law 6 · an operation that may change other rows than it names is opaque: for its table, or for all', () => {
  const line = new Line()
  const upTo = () => ['t', 'other'].map((name) => line.index.opaqueUpTo(line.table(name)))
  line.one(shapes.upsert, [1, 'v'])
  expect(upTo()).toEqual([0, 0])
  line.one(book.table('t').update(['id'], ['id'], undefined).shape, [2, 1])
  expect(upTo()).toEqual([2, 0])
  // A key that SQLite may take for another: the text becomes a number, or it does not.
  line.one(shapes.upsert, ['1', 'v'])
  expect(upTo()).toEqual([3, 0])
  const sql = 'DELETE FROM t'
  line.one({ kind: 'statement', key: sql, sql, width: 0, expect: undefined }, [])
  expect(upTo()).toEqual([4, 4])
  const statement: Run = {
    ...newRun({ kind: 'statement', key: sql, sql, width: 0, expect: undefined }),
    count: 1,
  }
  line.step({ kind: 'group', runs: [statement], redrives: undefined })
  expect(upTo()).toEqual([5, 5])
  line.index.addOpaque(6 as Seq)
  expect(upTo()).toEqual([6, 6])
})

test('law 6 · a redriven operation of a table that has changed since is opaque', () => {
  const line = new Line()
  const shape: Shape = { kind: 'delete', table: 'gone', key: 'x', width: 1, where: ['id'], expect: undefined }
  line.one(shape, [1])
  expect(line.index.opaqueUpTo(line.table('t'))).toBe(1)
  line.one({ ...shape, table: 'other', where: ['v'] }, [1])
  expect([line.index.opaqueUpTo(line.table('t')), line.index.opaqueUpTo(line.table('other'))]).toEqual([1, 2])
})

test('law 6 · inserts without their key are no operations of any row, but may make one', () => {
  const line = new Line()
  line.one(book.table('keyless').insert(['v']).shape, ['v'])
  line.one(book.table('other').insert(['v']).shape, ['v'])
  expect(line.table('other').makesKeysUpTo).toBe(0)
  line.one(book.table('t').insert(['v']).shape, ['v'])
  line.one(shapes.insert, ['v', null])
  line.one(shapes.upsert, [7, 'v'])
  expect(line.table('t').makesKeysUpTo).toBe(5)
  expect(line.seqsOf(7)).toEqual([5])
  line.settle(5)
  expect(line.table('t').makesKeysUpTo).toBe(0)
})

test('law 6 · when the tables change, what was accepted before is opaque, and settles without a trace', () => {
  const line = new Line()
  line.one(shapes.upsert, [1, 'v'])
  line.index.useSchema(schema, line.last)
  expect(line.index.opaqueUpTo(line.table('t'))).toBe(1)
  line.open()
  line.one(shapes.upsert, [1, 'v'])
  expect(line.seqsOf(1)).toEqual([2])
  line.settle(1)
  expect(line.seqsOf(1)).toEqual([2])
  line.settle(2)
  expect(line.seqsOf(1)).toEqual([])
})
