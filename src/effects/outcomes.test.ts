import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import type { EffectOutcome } from '../contracts/effect.ts'
import { refusalOf } from './outcomes.ts'

const runtime = new FakeRuntime()
const busy = { kind: 'retry', error: { status: 503, headers: { 'retry-after': '7' } } } as const
const wrong = { kind: 'retry', error: new Error('x') } as const

test.for<[string, readonly EffectOutcome<unknown>[] | undefined, number | undefined]>([
  ['nothing', undefined, undefined],
  ['no outcomes', [], undefined],
  ['delivered', [undefined], undefined],
  ['one of two is delivered', [busy, { kind: 'delivered' }], undefined],
  ['one of two is dead', [busy, { kind: 'dead', error: 'x' }], undefined],
  ['one of two fails otherwise', [busy, wrong], undefined],
  ['refused, and no time is said', [{ ...wrong, isOverload: true }], 0],
  ['refused, for a time that the error says', [busy], 7_000],
  ['refused, for a time that the handler says', [{ ...busy, afterMs: 30 }], 30],
  ['refused, for the longest of several times', [{ ...busy, afterMs: 30 }, busy], 7_000],
])('law 8 · what a target asks for as it refuses all: %s', ([, answer, askedMs]) => {
  expect(refusalOf(answer, runtime)?.askedMs).toBe(askedMs)
})
