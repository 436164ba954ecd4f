/**
 * Four processes on one database run sessions at random and write down what they saw; the checker judges each history.
 *
 * TIDEMARK_SEED repeats one history (what its sessions do; how their steps meet is the machine's), TIDEMARK_SEEDS
 * sets how many are run.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { add, count, type Census } from './census.ts'
import { check } from './checker.ts'
import { tell } from './history.ts'
import { databaseOn, fileIn, type Place } from './place.ts'
import { Pool } from './pool.ts'
import { record, type Ending } from './record.ts'

const only = process.env['TIDEMARK_SEED']
const firstSeed = Number(only ?? Math.floor(Math.random() * 1_000_000))
const runsOf = (usual: number): number =>
  only === undefined ? Number(process.env['TIDEMARK_SEEDS'] ?? usual) : 1
/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000

const pool = new Pool()
afterAll(() => pool.close())

/** The seed alone says what a history is like, so that one can be repeated. */
function endingOf(seed: number): Ending | undefined {
  return seed % 3 === 0 ? 'reopened' : seed % 3 === 1 ? 'lease' : undefined
}

type NewPlace = (folder: string) => Place | Promise<Place>

/** @param never what does not happen there */
function judgeHistories(
  where: string,
  runs: number,
  newPlace: NewPlace,
  never: readonly (keyof Census)[] = [],
): void {
  test(
    `laws 2, 3, 5 and 6 · in histories of four processes, some killed, every session has its four guarantees and every read is as fresh as it says: ${where}`,
    { timeout },
    async () => {
      const folder = temporaryFolder()
      let sum: Census | undefined
      const missing = (): string[] =>
        Object.entries(sum ?? {}).flatMap(([name, n]) =>
          n > 0 || never.some((one) => one === name) ? [] : [name],
        )
      // One history need not have everything; many in which something never happens prove nothing of it.
      const mayGoOn = runs < 12 ? 0 : 3 * runs
      let seed = firstSeed
      while (seed < firstSeed + runs || (missing().length > 0 && seed < firstSeed + runs + mayGoOn)) {
        const own = path.join(folder, String(seed))
        mkdirSync(own)
        const history = await record(pool, await newPlace(own), own, seed, endingOf(seed))
        const broken = check(history).map(({ kind, message, events }) =>
          [`${kind}: ${message}`, ...events.map((event) => `    ${tell(event)}`)].join('\n'),
        )
        expect(broken.slice(0, 10), `TIDEMARK_SEED=${seed}`).toEqual([])
        const census = count(history)
        expect(census.concurrent, `calls of two processes at once, TIDEMARK_SEED=${seed}`).toBeGreaterThan(0)
        sum = add(sum, census)
        seed++
      }
      const told = Object.entries(sum ?? {}).map(([name, n]) => `${name} ${n}`)
      console.log(`${seed - firstSeed} histories from TIDEMARK_SEED=${firstSeed}: ${told.join(', ')}`)
      if (mayGoOn > 0) expect(missing(), 'what never happened').toEqual([])
    },
  )
}

judgeHistories('SQLite', runsOf(30), fileIn)

await withServer(embeddedPostgres, async (server) => {
  // Whoever takes an id and whoever holds a register may wait for each other.
  await server.configure({ deadlock_timeout: '20ms' })
  // There a get shows what is committed, and waits for the rest.
  judgeHistories('PostgreSQL', runsOf(12), () => databaseOn(server), ['pendingGets'])
})
