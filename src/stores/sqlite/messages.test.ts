import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Load, Run, Step } from '../../contracts/operation.ts'
import { StoreError } from '../../errors.ts'
import { joinPieces, packFailure, splitSteps, unpackFailure, type Piece } from './messages.ts'

const shape = { kind: 'insert', table: 't', key: 'k', width: 1, columns: ['a'] } as const
const run: fc.Arbitrary<Run> = fc
  .tuple(fc.array(fc.integer(), { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 300 }))
  .map(([values, bytes]) => ({ kind: 'run', shape, count: values.length, bytes, values }))
const letters = fc.array(fc.record({ table: fc.constant('t'), text: fc.string(), error: fc.string() }), {
  maxLength: 3,
})
const step: fc.Arbitrary<Step> = fc.oneof(
  run,
  fc
    .array(run, { minLength: 1, maxLength: 6 })
    .map((runs): Step => ({ kind: 'group', runs, redrives: undefined })),
  fc
    .tuple(fc.array(run, { maxLength: 6 }), letters, fc.boolean())
    .map(([runs, found, hasCheckpoint]): Load => ({
      kind: 'load',
      positions: Math.max(1, runs.reduce((sum, { count }) => sum + count, 0) + found.length),
      runs,
      letters: found,
      checkpoint: hasCheckpoint ? { source: 's', value: '1' } : undefined,
    })),
)
const sizeOf = ({ step: { ...piece } }: Piece): number =>
  piece.kind === 'run' ? piece.bytes : piece.runs.reduce((sum, { bytes }) => sum + bytes, 0)

test('law 3 · steps that were split into messages and joined again are the steps they were', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 600 }), (steps, maxBytes) => {
      const original = structuredClone(steps)
      // As they arrive: each message copied by itself.
      const arrived = splitSteps(steps, maxBytes).flatMap((pieces) => structuredClone(pieces))
      expect(joinPieces(arrived)).toEqual(original)
      expect(steps).toEqual(original)
    }),
  )
})

test('no message is over the limit by more than its last piece, and none is empty but the only one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 600 }), (steps, maxBytes) => {
      const messages = splitSteps(steps, maxBytes)
      for (const pieces of messages) {
        const bytes = pieces.reduce((sum, piece) => sum + sizeOf(piece), 0)
        const isOver = bytes > maxBytes && pieces.filter((piece) => sizeOf(piece) > 0).length > 1
        expect(isOver).toBe(false)
        if (messages.length > 1) expect(pieces.length).toBeGreaterThan(0)
      }
    }),
  )
})

test('what a load has beside its rows travels once', () => {
  const runs = [1, 2, 3].map((value): Run => ({ kind: 'run', shape, count: 1, bytes: 100, values: [value] }))
  const load: Load = {
    kind: 'load',
    positions: 4,
    runs,
    letters: [{ table: 't', text: 'x'.repeat(1_000), error: 'e' }],
    checkpoint: { source: 's', value: '1' },
  }
  const pieces = splitSteps([load], 100).flat()
  expect(pieces.length).toBe(3)
  expect(pieces.filter(({ step: piece }) => piece.kind === 'load' && piece.letters.length > 0).length).toBe(1)
})

test('a failure arrives as it was sent', () => {
  const error = new StoreError('transient', 'database is locked', {
    storeCode: 'SQLITE_BUSY',
    outcome: 'unknown',
    hint: 'wait',
  })
  const { failure, message, storeCode, outcome, hint, retryable } = unpackFailure(
    structuredClone(packFailure(error)),
  )
  expect({ failure, message, storeCode, outcome, hint, retryable }).toEqual({
    failure: 'transient',
    message: 'tidemark: database is locked',
    storeCode: 'SQLITE_BUSY',
    outcome: 'unknown',
    hint: 'wait',
    retryable: true,
  })
})
