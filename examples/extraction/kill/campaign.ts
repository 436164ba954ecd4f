/**
 * Kills with -9 what there is, at random, round after round, while documents arrive and are removed; then lets all of it come to rest
 * and looks whether the stores agree. Some kills are aimed: at whoever has just reached one store, and not yet the other.
 */
import { Client } from 'pg'
import { seeded } from '../seeded.ts'
import { CarefulClient, type Given } from './careful.ts'
import { inspect, unfinished, type Inspection } from './inspect.ts'
import { Stage, victims, type Victim, type Way } from './stage.ts'
import type { Fate, Moment } from './wire.ts'

export interface CampaignOptions {
  readonly way: Way
  readonly rounds: number
  readonly seed: number
  readonly onRound?: (round: number, killed: readonly string[]) => void
  /** Where the log goes when something is found. */
  readonly log?: string
}

export interface Tally extends Inspection {
  readonly way: Way
  readonly rounds: number
  readonly kills: Readonly<Record<Victim, number>>
  /** Of the kills. */
  readonly aimed: number
  readonly readAgain: number
  readonly sentAgain: number
  readonly deliveredAgain: Readonly<Record<Fate, number>>
  readonly seconds: number
  /** From the last kill until nothing is left to do. */
  readonly drainSeconds: number
}

/** These come in every campaign, however short; later ones by chance. */
const aimedFirst: Readonly<Record<number, Moment>> = { 1: 'before', 2: 'after', 3: 'removal' }
const moments = ['before', 'after', 'removal'] as const
const documentsPerRound = 10
const aimedShare = 0.1
const secondShare = 0.25
const mostDown = 2
/** So long nothing may happen while something is left to do. */
const stuckMs = 120_000

export async function runKills(options: CampaignOptions): Promise<Tally> {
  const { way, rounds, seed } = options
  const startedMs = performance.now()
  await using stage = await Stage.start(way)
  const client = new CarefulClient(stage.api)
  const arrivals = new Arrivals(client, stage, seed)
  const kills = Object.fromEntries(victims.map((victim) => [victim, 0])) as Record<Victim, number>
  const random = seeded(seed)
  let aimed = 0
  for (let round = 0; round < rounds; round++) {
    const moment = aimedFirst[round] ?? (random() < aimedShare ? pick(random, moments) : undefined)
    const killed: Victim[] = []
    const kill = (victim: Victim): void => {
      stage.kill(victim, random() * 500)
      killed.push(victim)
    }
    if (moment === undefined) {
      // Where most is down, little is learnt.
      while (stage.up().length < victims.length - mostDown) await rest(20)
      arrivals.release(round, false)
      await rest(random() * 400)
      kill(pick(random, stage.up()))
    } else {
      await stage.untilUp()
      const struck = stage.wire.strike({
        moment,
        isMeant: (project) => project === arrivals.projectOf(round),
        kill: (asker) => kill(asker as Victim),
      })
      // What such a kill leaves, no removal is to tidy up.
      arrivals.release(round, moment !== 'removal')
      await (moment === 'removal' ? arrivals.removeUntil(struck) : struck)
      aimed++
    }
    if (random() < secondShare) kill(pick(random, stage.up()))
    for (const victim of killed) kills[victim]++
    options.onRound?.(round + 1, killed)
    await rest(random() * 300)
  }
  const lastKillMs = performance.now()
  await arrivals.end()
  await stage.untilUp()
  await untilDrained(stage, way)
  const drainSeconds = (performance.now() - lastKillMs) / 1_000
  await arrivals.stopLooking()
  await stage.stopParts()
  const inspection = await inspect(stage, way, seed, client)
  if (options.log !== undefined && Object.values(inspection.found).some((found) => found.length > 0))
    stage.keepLog(options.log)
  return {
    ...inspection,
    way,
    rounds,
    kills,
    aimed,
    readAgain: [...stage.reads.values()].reduce((sum, reads) => sum + reads - 1, 0),
    sentAgain: client.sentAgain,
    deliveredAgain: stage.wire.repeats,
    seconds: (performance.now() - startedMs) / 1_000,
    drainSeconds,
  }
}

/** Documents arrive in each round, some are removed later, and somebody looks at the listings all the time. */
class Arrivals {
  readonly #client: CarefulClient
  readonly #stage: Stage
  readonly #seed: number
  readonly #random: () => number
  /** By their rounds. */
  readonly #projects: number[] = []
  readonly #released: number[] = []
  readonly #kept = new Set<number>()
  readonly #arriving: Promise<void>
  readonly #looking: Promise<void>
  #isOver = false
  #isLooking = true

  constructor(client: CarefulClient, stage: Stage, seed: number) {
    this.#client = client
    this.#stage = stage
    this.#seed = seed
    this.#random = seeded(seed + 1)
    this.#arriving = this.#arrive()
    this.#looking = this.#look()
  }

  /** @param isKept none of its documents is removed */
  release(round: number, isKept: boolean): void {
    if (isKept) this.#kept.add(round)
    this.#released.push(round)
  }

  projectOf(round: number): number | undefined {
    return this.#projects[round]
  }

  /** Removes what is done, one after the other, until a removal met its kill. */
  async removeUntil(struck: Promise<unknown>): Promise<void> {
    const over = struck.then(() => true)
    do await this.#removeOne()
    while (!(await Promise.race([over, rest(500)])))
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#arriving
  }

  async stopLooking(): Promise<void> {
    this.#isLooking = false
    await this.#looking
  }

  async #arrive(): Promise<void> {
    for (;;) {
      const round = this.#released.shift()
      if (round === undefined) {
        if (this.#isOver) return
        await rest(10)
        continue
      }
      const project = await this.#client.createProject(`round ${round}`)
      this.#projects.push(project)
      for (let n = 0; n < documentsPerRound;) {
        const size = Math.min(documentsPerRound - n, 1 + Math.floor(this.#random() * 4))
        const given = Array.from({ length: size }, (_, at) =>
          this.#document(project, round * documentsPerRound + n + at),
        )
        await this.#client.submit(given)
        n += size
      }
      if (this.#random() < 0.5) await this.#removeOne()
    }
  }

  #document(project: number, n: number): Given {
    return { n, project, uri: `${this.#stage.site}/made/${this.#seed}/${n}.${n % 2 === 0 ? 'html' : 'md'}` }
  }

  /** The oldest: it is done, most often. */
  async #removeOne(): Promise<void> {
    for (const [id, { n }] of this.#client.accepted) {
      if (this.#kept.has(Math.floor(n / documentsPerRound))) continue
      return await this.#client.remove(id)
    }
  }

  async #look(): Promise<void> {
    while (this.#isLooking) {
      // By turns one of the newest, where much changes, and any.
      const of = Math.min(this.#random() < 0.5 ? 4 : Infinity, this.#projects.length)
      const project = this.#projects.at(-1 - Math.floor(this.#random() * of))
      if (project !== undefined) await this.#client.look(project)
      await rest(50)
    }
  }
}

async function untilDrained(stage: Stage, way: Way): Promise<void> {
  const client = new Client({ connectionString: stage.database })
  await client.connect()
  try {
    let [last, sinceMs] = [Infinity, performance.now()]
    for (;;) {
      const left = await unfinished(client, way)
      if (left === 0) return
      if (left !== last) [last, sinceMs] = [left, performance.now()]
      if (performance.now() - sinceMs > stuckMs) return stage.say(`${left} left, and nothing happens`)
      await rest(100)
    }
  } finally {
    await client.end()
  }
}

function pick<T>(random: () => number, from: readonly T[]): T {
  const picked = from[Math.floor(random() * from.length)]
  if (picked === undefined) throw new Error('there is nothing to pick from')
  return picked
}

async function rest(ms: number): Promise<void> {
  await new Promise((rested) => setTimeout(rested, ms))
}
