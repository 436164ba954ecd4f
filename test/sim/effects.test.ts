/**
 * Effects in a simulated world: what all the seeds of a run keep, and that a seed is all it takes to see a history
 * again. `npm run sim -- --effects` simulates as many as there is time for.
 */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { simulateEffects } from '../../src/testing/simulation/effects/simulate.ts'
import { effectsProgramOf } from '../../src/testing/simulation/effects/workload.ts'
import type { FaultKind } from '../../src/testing/simulation/faults.ts'
import { worlds } from '../../src/testing/simulation/worlds.ts'

const firstSeed = Number(process.env['TIDEMARK_SIM_SEED'] ?? 1)
const seeds = Number(process.env['TIDEMARK_SIM_EFFECTS_SEEDS'] ?? 30)
const timeout = 600_000

/** What this world is there for. */
const wanted: readonly FaultKind[] = [
  'zombie-delivered',
  'delivered-again',
  'killed-between-delivery-and-ack',
  'killed-in-a-claim',
  'many-lanes-orphaned',
  'down-for-an-hour',
  'effect-dead',
  'clock-jumped',
]

test(
  'laws 3 and 8 · in simulated histories every effect of a committed write is delivered in order and acked once, whatever happens',
  { timeout },
  async () => {
    const faults = new Set<FaultKind>()
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const { violation, faults: happened } = await worlds.effects.explore(seed)
      expect(violation, `npm run sim -- --effects --seed ${seed}`).toBeUndefined()
      for (const kind of happened.keys()) faults.add(kind)
    }
    expect(wanted.filter((kind) => !faults.has(kind))).toEqual([])
  },
)

test('one seed has one history of effects, whatever was simulated before it', { timeout }, async () => {
  const digestOf = async (seed: number): Promise<string> => {
    const { events } = await simulateEffects(effectsProgramOf(seed))
    return createHash('sha256').update(JSON.stringify(events)).digest('hex')
  }
  const order = [0, 1, 2, 3, 4].map((index) => firstSeed + index)
  const once = new Map<number, string>()
  for (const seed of order) once.set(seed, await digestOf(seed))
  for (const seed of order.toReversed()) expect(await digestOf(seed), `seed ${seed}`).toBe(once.get(seed))
})
