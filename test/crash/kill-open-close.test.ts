/** kill -9 where a writer is most between states: while it opens (and repairs what a killed one left), and closes. */
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { Aim, CrashSite, type Moment } from './crash-site.ts'
import { fileIn } from './place.ts'
import { randomFrom } from './workload.ts'

const rounds = Math.ceil(Number(process.env['TIDEMARK_CRASH_ROUNDS'] ?? 200) / 25)
/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000
const seed = Math.floor(Math.random() * 1_000_000)

/** Counts the kills that met a writer at one of these moments. */
function counting(...moments: Moment[]) {
  const file = new CrashSite(fileIn(temporaryFolder(), 'wal'), seed, new Aim(randomFrom(seed)))
  let hits = 0
  const kill: CrashSite['kill'] = async (word) => {
    const killed = await file.kill(word)
    if (killed && moments.includes(killed.moment)) hits++
    return killed
  }
  return { file, kill, hits: () => hits }
}

test(
  'law 3 · a writer killed while it opens and repairs leaves everything as it was',
  { timeout },
  async () => {
    const { file, kill, hits } = counting('opening', 'repairing')
    for (let round = 0; round < rounds; round++) {
      // The first leaves a log to be repaired. The next are killed while they do that and take the name.
      await kill('acknowledged')
      await kill(round % 2 === 0 ? 'opening' : 'repairing')
    }
    await file.finish()
    console.log(`${rounds} kills, ${hits()} before the writer was ready`)
    expect(hits()).toBeGreaterThan(0)
  },
)

test(
  'law 9 · a writer killed while it closes has lost nothing that it acknowledged',
  { timeout },
  async () => {
    const { file, kill, hits } = counting('closing')
    for (let round = 0; round < rounds; round++) await kill('closing')
    await file.finish()
    console.log(`${rounds} kills, ${hits()} before the writer had closed`)
    expect(hits()).toBeGreaterThan(0)
  },
)
