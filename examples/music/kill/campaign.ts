/**
 * Kills importing processes with -9 at random moments, and holds what each leaves against an import that nobody
 * disturbed: every song that is there is there whole, nothing belongs to nobody, and after one more run all is there.
 */
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { between, seeded, type Random } from '../fixtures/random.ts'
import { ImportProcess } from '../import/process.ts'
import type { ImportResult, Mode } from '../import/result.ts'
import { damageOf, songsOf } from '../content.ts'

export interface CampaignOptions {
  /** The audio files. */
  readonly folder: string
  /** Where databases are made. */
  readonly place: string
  readonly mode: Mode
  readonly kills: number
  readonly seed: number
  onKill?(tally: Tally): void
}

export interface Tally {
  readonly kills: number
  /** Songs found after kills. */
  readonly songs: number
  /** What was found that should not be. */
  readonly faults: readonly string[]
}

/** Kills of imports into one database, before one is left alone and must find its way to the end. */
const killsPerDatabase = 2
const workers = 4
const lingerMs = 20

export async function runKills(options: CampaignOptions): Promise<Tally> {
  const { mode, kills, seed, place } = options
  const random = seeded(seed)
  const undisturbed = path.join(place, 'undisturbed.db')
  const { content } = await runToEnd(options, undisturbed)
  const whole = songsOf(undisturbed)

  let tally: Tally = { kills: 0, songs: 0, faults: [] }
  for (let number = 0; tally.kills < kills; number++) {
    const database = path.join(place, `${mode}-${number}.db`)
    for (let n = 0; n < killsPerDatabase && tally.kills < kills; n++) {
      const read = between(random, 0, Math.floor(0.9 * whole.size))
      await killAfter(options, database, read, random)
      const left = judge(database, whole)
      tally = {
        kills: tally.kills + 1,
        songs: tally.songs + left.songs,
        faults: [...tally.faults, ...left.faults.map((fault) => `kill ${tally.kills + 1}: ${fault}`)],
      }
      options.onKill?.(tally)
    }
    const end = await runToEnd(options, database)
    if (end.content !== content)
      tally = { ...tally, faults: [...tally.faults, `${database} is not what an undisturbed import makes`] }
    if (tally.faults.length === 0) remove(database)
  }
  return tally
}

async function runToEnd(options: CampaignOptions, database: string): Promise<ImportResult> {
  const ignore = { starts: () => undefined, goesOn: () => undefined }
  const result = await new ImportProcess(args(options, database), ignore).result
  if (result === undefined) throw new Error('an import was killed by somebody else')
  return result
}

/** Kills an import a random moment after so many of its files were read, or when it has read all that it had to. */
async function killAfter(
  options: CampaignOptions,
  database: string,
  read: number,
  random: Random,
): Promise<void> {
  const delayMs = between(random, 0, 2 * lingerMs)
  let isDying = false
  const killSoon = (isTime: boolean): void => {
    if (!isTime || isDying) return
    isDying = true
    setTimeout(() => running.kill(), delayMs)
  }
  const running = new ImportProcess(args(options, database), {
    starts: () => killSoon(read === 0),
    goesOn: (now) => killSoon(now >= read),
  })
  await running.result
}

function args({ folder, mode }: CampaignOptions, database: string): string[] {
  const numbers = ['--workers', String(workers), '--linger-ms', String(lingerMs)]
  return [folder, '--mode', mode, '--database', database, ...numbers]
}

/** In a copy: the next import finds the file as the kill left it. */
function judge(
  database: string,
  whole: ReadonlyMap<string, string>,
): { readonly songs: number; readonly faults: readonly string[] } {
  const copy = `${database}.copy`
  for (const ending of ['', '-wal'])
    if (existsSync(database + ending)) copyFileSync(database + ending, copy + ending)
  try {
    const songs = songsOf(copy)
    const partial = [...songs].filter(([file, song]) => whole.get(file) !== song)
    return {
      songs: songs.size,
      faults: [...partial.map(([file, song]) => `${file} is there in part: ${song}`), ...damageOf(copy)],
    }
  } finally {
    remove(copy)
  }
}

function remove(database: string): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(database + ending, { force: true })
}
