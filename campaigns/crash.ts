/**
 * `npm run crash`: kill -9 of real processes on real files, or on a real PostgreSQL, thousands of times: amid writes, inside transactions,
 * while they open and repair what a killed one left, and while they close. After each kill the file is held
 * against the model of what must be in it. Ends with code 1 at the first violation, and leaves its file.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TEXT, UsageError, wholeNumber } from '../bench/options/parse.ts'
import { runCampaign, type CampaignOptions, type Tally } from '../test/crash/campaign.ts'
import { runEffects, type EffectsTally } from '../test/crash/effects-campaign.ts'
import { databaseOn, fileIn } from '../test/crash/place.ts'
import { findProgram } from '../test/support/servers/installed.ts'
import { debianPostgres, embeddedPostgres } from '../test/support/servers/postgres.ts'
import { command } from './command.ts'

const usage = `Usage: npm run crash -- [--effects] [--store S] [--rounds N] [--seed S] [--outage-every N]

  --effects         kills those who write and deliver effects, their target, and the server of the database
  --store S         sqlite, postgres (the one that comes with npm) or system-postgres (sqlite)
  --rounds N        kills (1,000)
  --seed S          repeats the operations and the delays of a run; the moment within a delay is the machine's
  --outage-every N  on a server, without --effects: every so many writers, one outlives a kill of that, and is
                    killed then (2)`

/** Two of five amid writes: there most of the time is spent, and most of the transactions. */
const words = ['ready', 'acknowledged', 'opening', 'repairing', 'closing'] as const
const everyMs = 10_000
/** With effects: kills on one database before a new one is begun. */
const killsPerDatabase = 10

const servers = { postgres: embeddedPostgres, 'system-postgres': debianPostgres }

/** What a campaign on a server does otherwise. @throws UsageError */
async function startStore(
  store: string,
  outageEvery: number,
): Promise<Partial<CampaignOptions> & AsyncDisposable> {
  if (store === 'sqlite') return { [Symbol.asyncDispose]: async () => undefined }
  if (store !== 'postgres' && store !== 'system-postgres')
    throw new UsageError(`There is no store "${store}".`)
  const service = servers[store]
  const program = findProgram(...service.programs)
  if (program === undefined) throw new UsageError(`${service.name} is not installed: ${service.install}`)
  const server = await service.start(program)
  return {
    // The server repairs what it was doing, and no writer sees to that.
    words: words.filter((word) => word !== 'repairing'),
    newPlace: () => databaseOn(server),
    lanes: 1,
    outageEvery,
    outage: async () => {
      await server.kill()
      await server.restart()
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const options = {
  effects: { type: 'boolean' },
  rounds: TEXT,
  seed: TEXT,
  store: TEXT,
  'outage-every': TEXT,
} as const

await command(usage, options, async (given) => {
  const rounds = wholeNumber('rounds', given.rounds, 1_000)
  const seed = wholeNumber('seed', given.seed, Math.floor(Math.random() * 1_000_000), 0)
  const outageEvery = wholeNumber('outage-every', given['outage-every'], 2)
  await using store = await startStore(given.store ?? 'sqlite', outageEvery)
  if (given.effects) return await killEffects(store, rounds, seed)
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-crash-'))
  console.log(`${rounds} kills, seed ${seed}, files in ${folder}`)

  const startedMs = performance.now()
  let toldMs = startedMs
  const tell = (tally: Tally): void => {
    if (performance.now() - toldMs < everyMs) return
    toldMs = performance.now()
    console.log(described(tally, toldMs - startedMs))
  }
  try {
    const tally = await runCampaign({ rounds, seed, folder, words, onKill: tell, ...store })
    console.log(described(tally, performance.now() - startedMs))
    console.log('no violation')
  } catch (error) {
    console.error(error)
    console.error(`VIOLATION, seed ${seed}. The file, and what its writer said, are kept: ${folder}`)
    return 1
  }
  rmSync(folder, { recursive: true })
  return 0
})

function described({ kills, moments, operations, files }: Tally, elapsedMs: number): string {
  const atMoments = Object.entries(moments).map(([moment, count]) => `${moment} ${count}`)
  const rate = kills / (elapsedMs / 1_000)
  return (
    `${kills} kills (${atMoments.join(', ')}), ${files} files in the end intact, ` +
    `${operations} operations survived, ${rate.toFixed(1)} kills/s`
  )
}

async function killEffects(
  { newPlace, outage }: Partial<CampaignOptions>,
  rounds: number,
  seed: number,
): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-effects-'))
  console.log(`${rounds} kills, seed ${seed}, files in ${folder}`)
  const total = new Map<string, number>()
  try {
    for (let number = 0; number * killsPerDatabase < rounds; number++) {
      const own = path.join(folder, String(number))
      mkdirSync(own)
      const place = newPlace ? await newPlace(own, number) : fileIn(own, number % 5 === 4 ? 'delete' : 'wal')
      const site = {
        address: place.address,
        folder: own,
        rows: async (sql: string) => await place.look((looks) => looks.rows(sql)),
        outage,
      }
      const kills = Math.min(killsPerDatabase, rounds - number * killsPerDatabase)
      addUp(total, await runEffects(site, kills, seed + number))
      console.log([...total].map(([what, count]) => `${what} ${count}`).join(', '))
    }
    console.log('no violation')
  } catch (error) {
    console.error(error)
    console.error(`VIOLATION, seed ${seed}. The files are kept: ${folder}`)
    return 1
  }
  rmSync(folder, { recursive: true })
  return 0
}

function addUp(
  total: Map<string, number>,
  { kills, again, effects, deliveries, acknowledged }: EffectsTally,
): void {
  const killed = Object.entries(kills).map(([who, count]) => [`${who} killed`, count] as const)
  const twice = Object.entries(again).map(([reason, count]) => [`again (${reason})`, count] as const)
  const counted = Object.entries({ acknowledged, effects, deliveries })
  for (const [what, count] of [...killed, ...counted, ...twice])
    total.set(what, (total.get(what) ?? 0) + count)
}
