/** The checker on histories that were really recorded: as they are, and with one event spoiled. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { fileIn } from './place.ts'
import { check } from './checker.ts'
import { FinalOrder } from './final-order.ts'
import type { History } from './history.ts'
import { Pool } from './pool.ts'
import { record } from './record.ts'
import { olderEventualReads, tamperings } from './tampering.ts'

/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000
const firstSeed = Number(process.env['TIDEMARK_SEED'] ?? Math.floor(Math.random() * 1_000_000))

test(
  'law 6 · the checker reports whatever is spoiled in recorded histories, and nothing else',
  { timeout },
  async () => {
    const recorded = await recordEnough()
    for (const { history } of recorded) expect(check(history), `TIDEMARK_SEED=${firstSeed}`).toEqual([])

    for (const [how, tampering] of Object.entries(tamperings)) {
      const places = recorded.flatMap(({ history, order }) => tampering(history, order))
      fc.assert(
        fc.property(fc.nat(places.length - 1), (at) => {
          const { history, breaks } = (places[at] as (typeof places)[number])()
          const found = check(history).map(({ kind }) => kind)
          expect(
            breaks.some((kind) => found.includes(kind)),
            `${how}: ${breaks.join(' or ')} in ${found.join()}`,
          ).toBe(true)
        }),
        { numRuns: 25 },
      )
    }

    const harmless = recorded.flatMap(({ history, order }) => olderEventualReads(history, order))
    fc.assert(
      fc.property(fc.nat(harmless.length - 1), (at) => {
        expect(check((harmless[at] as () => History)())).toEqual([])
      }),
      { numRuns: 25 },
    )
  },
)

/** Until there is something to spoil in every way: a process that is killed does not always lose a write. */
async function recordEnough(): Promise<{ history: History; order: FinalOrder }[]> {
  const recorded: { history: History; order: FinalOrder }[] = []
  const lacking = new Set(Object.values(tamperings))
  const pool = new Pool()
  try {
    for (let seed = firstSeed; lacking.size > 0; seed++) {
      const folder = temporaryFolder()
      const history = await record(pool, fileIn(folder), folder, seed, 'lease')
      const order = new FinalOrder(history)
      recorded.push({ history, order })
      for (const tampering of lacking) if (tampering(history, order).length > 0) lacking.delete(tampering)
    }
  } finally {
    await pool.close()
  }
  return recorded
}
