import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Load, Run, Step } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { Value } from '../contracts/values.ts'
import { rejection } from '../../test/support/scripted-store.ts'
import { EngineStoppedError } from '../errors.ts'
import { PendingBatch } from './batch.ts'

const shapes = ['a', 'b'].map(
  (table) => ({ kind: 'insert', table, key: table, width: 2, columns: ['x', 'y'] }) as const,
)

/** What goes into a batch: single operations (by the shape they have), groups and loads (by how many positions they take). */
type Part = { kind: 'one'; shape: 0 | 1 } | { kind: 'group' } | { kind: 'load'; positions: number }
const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Part>({ kind: 'one', shape: 0 }, { kind: 'one', shape: 1 }) },
  { weight: 1, arbitrary: fc.constant<Part>({ kind: 'group' }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4 }).map((positions): Part => ({ kind: 'load', positions })),
  },
)

/** Fills a batch whose values are the positions they were given. */
function fill(prev: number, parts: readonly Part[]): PendingBatch {
  const batch = new PendingBatch(prev as Seq, 0)
  for (const { kind, ...rest } of parts) {
    const seq = batch.last + 1
    if (kind === 'one') {
      const run = batch.runFor(shapes['shape' in rest ? rest.shape : 0] ?? expect.fail())
      run.values.push(seq, null)
      expect(batch.extend(run, 8)).toBe(seq)
    } else if (kind === 'group') {
      batch.add({ kind: 'group', runs: [runOf([seq])], redrives: undefined }, 1, 5, 40)
    } else {
      const positions = 'positions' in rest ? rest.positions : 1
      const values = Array.from({ length: positions }, (_, index) => seq + index)
      const load: Load = {
        kind: 'load',
        positions,
        runs: [runOf(values)],
        letters: [],
        checkpoint: undefined,
      }
      batch.add(load, positions, positions, 8 * positions)
    }
  }
  return batch
}

function runOf(seqs: readonly number[]): Run {
  const values = seqs.flatMap((seq): Value[] => [seq, null])
  return { kind: 'run', shape: shapes[0] ?? expect.fail(), count: seqs.length, bytes: 0, values }
}

function seqsOf(steps: readonly Step[]): Value[] {
  return steps.flatMap((step) =>
    step.kind === 'run'
      ? Array.from({ length: step.count }, (_, index) => step.values[index * step.shape.width] ?? null)
      : seqsOf(step.runs),
  )
}

const between = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** Positions at which a commit can have stopped: not inside a load. */
function stops(prev: number, parts: readonly Part[]): number[] {
  let at = prev
  return parts.map((one) => (at += one.kind === 'load' ? one.positions : 1))
}

describe('resuming', () => {
  test('law 3 · from any watermark, exactly what is not committed is left, in order', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.array(part, { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        (prev, parts, chance) => {
          const batch = fill(prev, parts)
          const { last } = batch
          expect(seqsOf(batch.steps)).toEqual(between(prev + 1, last))
          const marks = stops(prev, parts).filter(
            (_, index) => index < parts.length - 1 && (chance.next().value ?? 0) % 3 === 0,
          )
          for (const watermark of marks) {
            batch.advance(watermark as Seq, [], [])
            expect([batch.prev, batch.last, batch.state]).toEqual([watermark, last, 'pending'])
            expect(seqsOf(batch.steps)).toEqual(between(watermark + 1, last))
            for (const step of batch.steps)
              if (step.kind === 'run') expect(step.values.length).toBe(step.count * step.shape.width)
          }
          batch.advance(last, [], [])
          expect([batch.state, batch.steps]).toEqual(['committed', []])
        },
      ),
    )
  })

  test('the counts that the queue was told stay what they were', () => {
    const batch = fill(0, [{ kind: 'one', shape: 0 }, { kind: 'group' }, { kind: 'load', positions: 3 }])
    const { operations, bytes } = batch
    batch.advance(2 as Seq, [], [])
    expect([batch.operations, batch.bytes]).toEqual([operations, bytes])
    expect([operations, bytes]).toEqual([9, 72])
  })
})

describe('runs', () => {
  test('law 2 · consecutive operations of one shape share a run; any other between them begins a new one', () => {
    const one = (shape: 0 | 1): Part => ({ kind: 'one', shape })
    const batch = fill(0, [one(0), one(0), one(1), one(0), { kind: 'group' }, one(0)])
    expect(
      batch.steps.map((step) => (step.kind === 'run' ? `${step.shape.key}${step.count}` : step.kind)),
    ).toEqual(['a2', 'b1', 'a1', 'group', 'a1'])
  })

  test('a long run is continued by another, so that it fits messages', () => {
    const batch = new PendingBatch(0 as Seq, 0)
    for (let index = 0; index < 10; index++) {
      const run = batch.runFor(shapes[0] ?? expect.fail())
      run.values.push(index, null)
      batch.extend(run, 100_000)
    }
    expect(batch.steps.map((step) => step.kind === 'run' && step.count)).toEqual([3, 3, 3, 1])
  })
})

describe('settling', () => {
  test('law 1 · results and rejections of several commits are kept by position', () => {
    const batch = fill(
      10,
      Array.from({ length: 6 }, (): Part => ({ kind: 'one', shape: 0 })),
    )
    batch.advance(
      13 as Seq,
      [{ first: 11 as Seq, count: 2, firstId: 100 }],
      [rejection(13), rejection(10), rejection(99)],
    )
    batch.advance(16 as Seq, [{ first: 14 as Seq, changes: [0, 3] }], [rejection(16)])
    const at = (seq: number) => batch.resultOf(seq as Seq)
    expect([11, 12, 13, 14, 15, 16].map(at)).toEqual([
      { id: 100 },
      { id: 101 },
      {},
      { changes: 0 },
      { changes: 3 },
      {},
    ])
    expect(batch.rejectionsBetween(11 as Seq, 16 as Seq).map(({ seq }) => seq)).toEqual([13, 16])
    expect(batch.rejectionOf(13 as Seq)?.deadLetter).toBe(113)
    expect(batch.rejectionCount).toBe(2)
  })

  test('law 1 · who waits is told once it is settled, whether they came before or after', async () => {
    const batch = fill(0, [{ kind: 'group' }])
    const before = batch.whenSettled()
    batch.advance(1 as Seq, [], [])
    await Promise.all([before, batch.whenSettled()])
  })

  test('law 1 · of a batch that was committed half-way and abandoned, the first half is committed', () => {
    const batch = fill(
      0,
      Array.from({ length: 4 }, (): Part => ({ kind: 'one', shape: 0 })),
    )
    batch.advance(2 as Seq, [], [])
    expect([1, 2, 3, 4].map((seq) => batch.stateOf(seq as Seq))).toEqual(Array(4).fill('pending'))
    const abandonment = { error: new EngineStoppedError('FENCED', 'x'), certainty: 'not-committed' } as const
    batch.abandon(abandonment)
    expect([1, 2, 3, 4].map((seq) => batch.stateOf(seq as Seq))).toEqual([
      'committed',
      'committed',
      abandonment,
      abandonment,
    ])
  })
})
