/**
 * The engine in a simulated world: what all the seeds of a run keep, and that a seed is all it takes to see a history
 * again. `npm run sim` simulates as many as there is time for.
 */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { check } from '../../src/testing/simulation/checker.ts'
import { faultKinds, type FaultKind } from '../../src/testing/simulation/faults.ts'
import { simulate } from '../../src/testing/simulation/simulate.ts'
import { programOf } from '../../src/testing/simulation/workload.ts'

const firstSeed = Number(process.env['TIDEMARK_SIM_SEED'] ?? 1)
const seeds = Number(process.env['TIDEMARK_SIM_SEEDS'] ?? 2_000)
const timeout = 600_000

test(
  'laws 1, 2, 3, 4, 5, 6, 7, 9, 10 · in simulated histories with every kind of fault no law is broken',
  { timeout },
  async () => {
    const faults = new Map<FaultKind, number>()
    let [operations, small] = [0, 0]
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const history = await simulate(programOf(seed))
      expect(check(history), `npm run sim -- --seed ${seed}`).toEqual([])
      operations += history.operations
      if (history.operations < 50 || history.faults.size === 0) small++
      for (const [kind, count] of history.faults) faults.set(kind, (faults.get(kind) ?? 0) + count)
    }
    console.log(`${seeds} histories from seed ${firstSeed}, ${operations} operations`)
    expect(small / seeds, 'histories with too few operations').toBeLessThan(0.05)
    expect(faultKinds.filter((kind) => !faults.has(kind))).toEqual([])
  },
)

test('one seed has one history, whatever was simulated before it', { timeout }, async () => {
  const digests = async (order: readonly number[]): Promise<Map<number, string>> => {
    const found = new Map<number, string>()
    for (const seed of order) {
      const { events } = await simulate(programOf(seed))
      found.set(seed, createHash('sha256').update(JSON.stringify(events)).digest('hex'))
    }
    return found
  }
  const order = Array.from({ length: 100 }, (_, index) => firstSeed + index)
  const once = await digests(order)
  const again = await digests(order.toReversed())
  for (const seed of order) expect(again.get(seed), `seed ${seed}`).toBe(once.get(seed))
  expect(new Set(once.values()).size).toBe(order.length)
})
