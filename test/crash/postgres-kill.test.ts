/**
 * kill -9 at random moments, on PostgreSQL: of the writer, and of the server under a writer that lives on. What was
 * acknowledged is there, the rest is a prefix, each operation whole and once.
 *
 * TIDEMARK_CRASH_ROUNDS sets the number of kills, TIDEMARK_CRASH_SEED repeats the operations and the delays of a run;
 * `npm run crash -- --store postgres` runs thousands.
 */
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { runCampaign } from './campaign.ts'
import { databaseOn } from './place.ts'

const rounds = Number(process.env['TIDEMARK_CRASH_ROUNDS'] ?? 12)
const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))
/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000

await withServer(embeddedPostgres, (server) => {
  const newPlace = () => databaseOn(server)
  const outage = async (): Promise<void> => {
    await server.kill()
    await server.restart()
  }

  test.for([
    ['a writer', ['opening', 'ready', 'acknowledged', 'closing'], undefined],
    ['the server under a writer, which goes on by itself,', ['acknowledged'], outage],
  ] as const)(
    'laws 1 to 5 · what was acknowledged survives kill -9 of %s and the rest is a prefix',
    { timeout },
    async ([, words, cause]) => {
      console.log(`TIDEMARK_CRASH_SEED=${seed}`)
      const lanes = cause === undefined ? 2 : 1
      const options = { rounds, seed, folder: temporaryFolder(), words, newPlace, lanes, outage: cause }
      const tally = await runCampaign(options)
      expect(tally.kills).toBe(rounds)
      expect(tally.operations).toBeGreaterThan(rounds)
      console.log(`${tally.kills} kills; ${tally.operations} operations survived`)
    },
  )
})
