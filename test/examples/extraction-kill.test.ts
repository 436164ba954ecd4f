/** S1: every part of the extraction example is killed with -9 while documents arrive, and the stores agree afterwards. */
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { redisServer } from '../support/servers/redis.ts'

await withExample('extraction', async () => {
  const { runKills } = await import('../../examples/extraction/kill/campaign.ts')
  const { killTable } = await import('../../examples/extraction/kill/report.ts')

  const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))

  // The campaign has a Redis of its own: this one tells that there is one to be had.
  await withServer(redisServer, () => {
    // SPEC S1.1, S1.12
    test('20 rounds of kills leave nothing lost, nothing doubled and no two stores that differ', async () => {
      console.log(`TIDEMARK_CRASH_SEED=${seed}`)
      const tally = await runKills({ way: 'tidemark', rounds: 20, seed })
      console.log(killTable([tally]))
      expect(Object.entries(tally.found).filter(([, found]) => found.length > 0)).toEqual([])
      const { 'sources accepted': accepted, 'sources removed': removed, extractions, vectors } = tally.counts
      expect(Number(accepted) + Number(removed)).toBe(200)
      expect([extractions, vectors]).toEqual([accepted, accepted])
      expect(tally.aimed).toBeGreaterThanOrEqual(3)
    }, 300_000)

    test('the same kills at sequential writes leave orphans, and they are found', async () => {
      const tally = await runKills({ way: 'naive', rounds: 4, seed })
      console.log(killTable([tally]))
      // Each of these was aimed at, so that they do not depend on chance.
      for (const fault of [
        'rows without a vector',
        'vectors without a row',
        'rows that do not say so of their vector',
        'extractions doubled',
        'rows that wait for ever, or gave up',
      ] as const)
        expect(tally.found[fault], fault).not.toEqual([])
    }, 300_000)
  })
})
