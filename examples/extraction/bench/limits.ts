/**
 * `npm run extraction -- limits`: an LLM that takes so many calls at once and refuses more, changes its mind, fails some, and is
 * out for a while. Prints how many calls are under way, and how long it takes to catch up.
 */
import { openDatabase, type Database } from '../database.ts'
import { hashing } from '../embedder.ts'
import { Model } from '../llm/model.ts'
import { LlmWorker } from '../llm/worker.ts'
import { startWorker } from '../pipeline/handlers.ts'
import { submit } from '../pipeline/submit.ts'
import { openVectors } from '../vectors/open.ts'
import { Rig } from './rig.ts'

export interface LimitsOptions {
  /** How many calls the LLM takes at once, one after the other. */
  readonly parallel: readonly number[]
  readonly phaseMs: number
  readonly latencyMs: number
  readonly failureShare: number
  readonly outageMs: number
}

export interface Sample {
  readonly atMs: number
  /** Calls that this process has begun and that are not answered. */
  readonly calls: number
  /** How many the LLM takes. */
  readonly taken: number
}

export interface Phase {
  readonly taken: number
  /** Until no more were under way than it takes; undefined: never. */
  readonly foundMs: number | undefined
  /** From then on, the most at once. */
  readonly most: number
}

const sampleMs = 10
const printMs = 2_000
/** So many requests wait while it is looked how many are made at once. */
const ahead = 100
const drainMs = 600_000

/** A phase begins where the LLM begins to take another number of calls. */
export function phasesOf(samples: readonly Sample[]): Phase[] {
  const starts = samples.flatMap(({ taken }, at) => (taken === samples[at - 1]?.taken ? [] : [at]))
  return starts.map((start, n) => {
    const phase = samples.slice(start, starts[n + 1])
    const found = phase.findIndex(({ calls, taken }) => calls <= taken)
    return {
      taken: phase[0]?.taken ?? 0,
      foundMs: found === -1 ? undefined : (phase[found]?.atMs ?? 0) - (phase[0]?.atMs ?? 0),
      most: found === -1 ? Infinity : Math.max(...phase.slice(found).map(({ calls }) => calls)),
    }
  })
}

/** The limiter grows by one: so many more than the LLM takes are one step. */
export const step = 1

export async function limits(options: LimitsOptions): Promise<boolean> {
  const { parallel, phaseMs, latencyMs, failureShare, outageMs } = options
  await using rig = await Rig.start()
  await using round = await rig.round()
  await using db = await openDatabase({ postgres: round.postgres, writer: 'limits', readers: 8 })
  const vectors = await openVectors(round.vectors, hashing.dimensions)
  await using _ = await startWorker({ db, vectors, redis: round.redis, folder: rig.documents })
  const model = new Model({ latencyMs, failureShare, parallel: parallel[0] ?? 1 })
  const llm = new LlmWorker(round.redis, model, { name: 'llm-1' })
  const project = db.insert('projects', { name: 'limits', created_ms: 0 })
  await project
  let submitted = 0
  const submitMore = async (count: number): Promise<void> => {
    await submit(db, Number(project.id), rig.write(count, submitted))
    submitted += count
  }
  try {
    console.log(
      `an LLM that takes ${parallel.join(', then ')} calls at once, ${latencyMs} ms each, and fails ${failureShare * 100} % of them; one worker`,
    )
    const samples: Sample[] = []
    const startMs = performance.now()
    const sampling = setInterval(() => {
      const calls = db.effects.handlers().get('llm')?.running ?? 0
      samples.push({ atMs: performance.now() - startMs, calls, taken: model.settings.parallel })
    }, sampleMs)
    for (const taken of parallel) {
      model.settings.parallel = taken
      const endMs = performance.now() + phaseMs
      while (performance.now() < endMs) {
        const from = samples.length
        const nextMs = performance.now() + Math.min(printMs, phaseMs)
        while (performance.now() < nextMs) {
          if ((await unfinished(db)) < ahead) await submitMore(ahead / 2)
          await new Promise((rested) => setTimeout(rested, 50))
        }
        console.log(lineOf(samples.slice(from)))
      }
    }
    clearInterval(sampling)
    const phases = phasesOf(samples)
    for (const phase of phases) console.log(phaseText(phase))
    await db.effects.ready('llm', { below: 1, timeoutMs: drainMs })
    const refused = model.refused / (model.refused + model.calls)
    console.log(
      `it was asked ${model.refused + model.calls} times, and refused ${(100 * refused).toFixed(1)} %`,
    )

    model.settings.isOut = true
    const outMs = performance.now()
    while (performance.now() - outMs < outageMs) {
      await submitMore(5)
      await new Promise((rested) => setTimeout(rested, 1_000))
    }
    const waiting = await unfinished(db)
    model.settings.isOut = false
    const backMs = performance.now()
    await db.effects.ready('llm', { below: 1, timeoutMs: drainMs })
    const dead = (await db.effects.deadLetters('llm')).length
    const least = (waiting * latencyMs) / model.settings.parallel / 1_000
    console.log(
      `out for ${seconds(backMs - outMs)}, ${waiting} requests waited then; all done ${seconds(performance.now() - backMs)} after it was back (${least.toFixed(1)} s at its full rate); given up: ${dead}`,
    )
    return dead === 0 && phases.every(({ taken, most }) => most <= taken + step)
  } finally {
    await llm.stop()
    await vectors.close()
  }
}

async function unfinished(db: Database): Promise<number> {
  const stats = await Promise.all(['scrape', 'llm'].map((kind) => db.effects.stats(kind)))
  return stats.reduce((sum, { queued, waiting }) => sum + queued + waiting, 0)
}

function lineOf(samples: readonly Sample[]): string {
  const calls = samples.map((sample) => sample.calls)
  const mean = calls.reduce((sum, count) => sum + count, 0) / calls.length
  const last = samples.at(-1)
  return `${seconds(last?.atMs ?? 0).padStart(7)}  it takes ${last?.taken ?? 0}; calls at once: mean ${mean.toFixed(1)}, most ${Math.max(...calls)}`
}

function phaseText({ taken, foundMs, most }: Phase): string {
  const found =
    foundMs === undefined ? 'never found' : `found after ${seconds(foundMs)}, then at most ${most} at once`
  return `it takes ${taken}: ${found}`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
