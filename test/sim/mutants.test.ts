/**
 * Bugs are planted in a copy of the shipped code, and the simulation finds them. A few, of different kinds, each time;
 * `npm run mutants` plants them all.
 */
import { expect, test } from 'vitest'
import { mutants } from '../../campaigns/mutants/all.ts'
import { hunt, mutated } from '../../campaigns/mutants/plant.ts'

const few = [
  'the fence is a plain update, and nobody looks whether it changed a row',
  'a failed batch is sent again without reading the tidemark',
  'operations are regrouped by shape',
  'backpressure resumes early',
  'reads do not wait for their own writes',
  'effects are delivered before their commit is durable',
  'a lease is taken without waiting',
  'progress skips what is not finished',
]

test.for(few)('the simulation finds out when %s', { timeout: 120_000 }, async (name) => {
  const mutant = mutants.find((one) => one.name === name)
  expect(mutant && (await hunt(mutant))).toMatchObject({ seeds: expect.any(Number), law: expect.any(Number) })
})

test('every planted bug has a name of its own, and can still be planted', () => {
  for (const mutant of mutants) expect(mutated(mutant), mutant.name).not.toBe('')
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  expect(mutants.length).toBeGreaterThanOrEqual(100)
})
