/**
 * Many kills on many databases, a few writers at a time. The crash suite runs a short one, `npm run crash` a long one.
 */
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { Aim, CrashSite, type Kill, type Moment, type Word } from './crash-site.ts'
import { fileIn, type Place } from './place.ts'
import { randomFrom } from './workload.ts'

export interface CampaignOptions {
  /** Kills. */
  readonly rounds: number
  readonly seed: number
  /** Where the files are made. Those without a violation are removed. */
  readonly folder: string
  /** Writers are killed after these words, all of them as often. */
  readonly words: readonly Word[]
  readonly onKill?: (tally: Tally) => void
  /** Where a lane's writers write next. Default: a file. */
  readonly newPlace?: (folder: string, number: number) => Place | Promise<Place>
  /** Writers at a time. Default 2. */
  readonly lanes?: number
  /** Some writers are to outlive this, and are killed afterwards. */
  readonly outage?: (() => Promise<void>) | undefined
  /** Which ones. Default: every second. */
  readonly outageEvery?: number
}

/** One file in five uses the rollback journal: another way to be interrupted, and to repair. */
function newFile(folder: string, number: number): Place {
  return fileIn(folder, number % 5 === 4 ? 'delete' : 'wal')
}

export interface Tally {
  kills: number
  /** Kills by where they met the writer. */
  readonly moments: Record<Moment, number>
  /** Kills after at least one acknowledgement. */
  afterAcknowledgement: number
  /** Operations of killed writers that are in their databases. */
  operations: number
  files: number
}

/** Kills of one database before a new one is begun: every reopening closes an epoch and goes on behind it. */
const killsPerFile = 12

/** @throws Violation, the first; its file is kept */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const { lanes = 2 } = options
  const tally: Tally = {
    kills: 0,
    moments: { opening: 0, repairing: 0, writing: 0, 'inside a transaction': 0, closing: 0, closed: 0 },
    afterAcknowledgement: 0,
    operations: 0,
    files: 0,
  }
  const over = new AbortController()
  const outcomes = await Promise.allSettled(
    Array.from({ length: lanes }, (_, lane) =>
      runLane(lane, options, tally, over.signal).catch((error: unknown) => {
        over.abort()
        throw error
      }),
    ),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return tally
}

async function runLane(
  lane: number,
  {
    rounds,
    seed,
    folder,
    words,
    onKill,
    newPlace = newFile,
    lanes = 2,
    outage,
    outageEvery = 2,
  }: CampaignOptions,
  tally: Tally,
  over: AbortSignal,
): Promise<void> {
  const random = randomFrom(seed + lane)
  const aim = new Aim(random)
  let left = Math.floor((rounds + lane) / lanes)
  for (let number = 0; left > 0; number++) {
    const place = path.join(folder, `${lane}-${number}`)
    mkdirSync(place)
    const site = new CrashSite(await newPlace(place, number), seed + lane * 10_000 + number, aim)
    const last = Math.max(0, left - killsPerFile)
    while (left > last) {
      if (over.aborted) return
      const word = words[Math.floor(random() * words.length)] as Word
      const kill = outage && left % outageEvery === 0 ? await site.outlive(outage) : await site.kill(word)
      if (kill === undefined) continue
      left--
      count(kill, tally)
      onKill?.(tally)
    }
    await site.finish()
    tally.files++
    rmSync(place, { recursive: true })
  }
}

function count({ moment, hadAcknowledged, survived }: Kill, tally: Tally): void {
  tally.kills++
  tally.moments[moment]++
  tally.operations += survived
  if (hadAcknowledged) tally.afterAcknowledgement++
}
