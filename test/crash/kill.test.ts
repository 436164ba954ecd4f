/**
 * kill -9 of a real process at random moments, over and over on the same files. After each kill the file must
 * hold what was acknowledged, a prefix of what was accepted, each operation whole and once.
 *
 * TIDEMARK_CRASH_ROUNDS sets the number of kills (default 200), TIDEMARK_CRASH_SEED repeats the operations and
 * the delays of a run; the moment within a delay is the machine's. `npm run crash` runs thousands, of all kinds.
 */
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { runCampaign } from './campaign.ts'

const rounds = Number(process.env['TIDEMARK_CRASH_ROUNDS'] ?? 200)
const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))
/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000

// SPEC S2.5, S4.5
test(
  `laws 1 to 5 · what was acknowledged survives kill -9 at a random moment, and the rest is a prefix`,
  { timeout },
  async () => {
    console.log(`TIDEMARK_CRASH_SEED=${seed}`)
    const folder = temporaryFolder()
    const tally = await runCampaign({ rounds, seed, folder, words: ['ready', 'acknowledged'] })
    const share = tally.moments['inside a transaction'] / tally.kills
    console.log(
      `${tally.kills} kills, ${Math.round(share * 100)}% of them inside a transaction, ` +
        `${tally.afterAcknowledgement} after an acknowledgement; ${tally.operations} operations survived`,
    )
    expect(tally.kills).toBe(rounds)
    expect(share).toBeGreaterThanOrEqual(0.3)
    expect(tally.afterAcknowledgement / tally.kills).toBeGreaterThanOrEqual(0.3)
  },
)
