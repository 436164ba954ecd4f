/** Documents a second, this way and the usual way, by turns, and that both have made the same of them. */
import { sql } from 'kysely'
import { Client } from 'pg'
import { openDatabase, type Database } from '../database.ts'
import { hashing } from '../embedder.ts'
import { kinds, startWorker } from '../pipeline/handlers.ts'
import { submit } from '../pipeline/submit.ts'
import { openVectors } from '../vectors/open.ts'
import { median } from './median.ts'
import { naively } from './naive.ts'
import type { Rig, Round } from './rig.ts'

export interface ThroughputOptions {
  readonly documents: number
  readonly rounds: number
  /** So many more go before, and do not count: programs that run for days are not measured while they are compiled. */
  readonly warmUp: number
  /** Processes that share the work. 0: the one that submits does it. */
  readonly workers: number
  /** Of the LLM, each measured by itself, in ms. */
  readonly latenciesMs: readonly number[]
}

export interface Measured {
  readonly latencyMs: number
  /** Documents a second, a round each. */
  readonly naive: readonly number[]
  readonly tidemark: readonly number[]
}

const atOnce = 100
const lookEveryMs = 50
const settleMs = 600_000

export async function measureThroughput(
  rig: Rig,
  { documents, rounds, warmUp, workers, latenciesMs }: ThroughputOptions,
  say: (line: string) => void,
): Promise<Measured[]> {
  const uris = rig.write(warmUp + documents)
  const results: Measured[] = []
  for (const latencyMs of latenciesMs) {
    const naive: number[] = []
    const tidemark: number[] = []
    for (let round = 0; round < rounds; round++) {
      const usual = await measured(rig, latencyMs, (on) => naively(on, rig.documents, uris, warmUp))
      const ours = await measured(rig, latencyMs, (on) =>
        throughEffects(on, rig.documents, uris, warmUp, workers),
      )
      if (ours.made !== usual.made) throw new Error(`not the same was made:\n${usual.made}\n${ours.made}`)
      naive.push(documents / usual.seconds)
      tidemark.push(documents / ours.seconds)
      say(
        `LLM ${latencyMs} ms, round ${round + 1}: naive ${rate(documents / usual.seconds)}, Tidemark ${rate(documents / ours.seconds)}`,
      )
    }
    results.push({ latencyMs, naive, tidemark })
  }
  return results
}

/** The two of one round follow each other, so what disturbs them disturbs both: they are compared round by round. */
export function throughputText({ latencyMs, naive, tidemark }: Measured): string {
  const times = tidemark.map((ours, round) => ours / (naive[round] ?? Number.NaN))
  const text = (values: readonly number[]): string =>
    `${rate(median(values))} (${rate(Math.min(...values))} to ${rate(Math.max(...values))})`
  return `LLM ${latencyMs} ms, documents/s, medians: naive ${text(naive)}, Tidemark ${text(tidemark)}; ${text(times)} times in a round`
}

function rate(perSecond: number): string {
  return perSecond.toFixed(1)
}

async function measured(
  rig: Rig,
  latencyMs: number,
  run: (on: Round) => Promise<number>,
): Promise<{ readonly seconds: number; readonly made: string }> {
  await using round = await rig.round()
  await round.startLlm({ latencyMs, parallel: 1_000 })
  const seconds = await run(round)
  return { seconds, made: await madeIn(round) }
}

/** @returns seconds until nothing that was submitted is unfinished */
export async function throughEffects(
  on: Round,
  folder: string,
  uris: readonly string[],
  warmUp: number,
  workers: number,
): Promise<number> {
  await using db = await openDatabase({ postgres: on.postgres, writer: 'bench', readers: 8 })
  if (workers > 0) {
    await on.startWorkers(workers, folder)
    return await fromSubmission(db, uris, warmUp)
  }
  const vectors = await openVectors(on.vectors, hashing.dimensions)
  await using _ = await startWorker({ db, vectors, redis: on.redis, folder })
  return await fromSubmission(db, uris, warmUp)
}

async function fromSubmission(db: Database, uris: readonly string[], warmUp: number): Promise<number> {
  const created = db.insert('projects', { name: 'bench', created_ms: 0 })
  await created
  await allDone(db, Number(created.id), uris.slice(0, warmUp))
  const sinceMs = performance.now()
  await allDone(db, Number(created.id), uris.slice(warmUp))
  return (performance.now() - sinceMs) / 1_000
}

async function allDone(db: Database, project: number, uris: readonly string[]): Promise<void> {
  const submitted: Promise<unknown>[] = []
  for (let from = 0; from < uris.length; from += atOnce)
    submitted.push(submit(db, project, uris.slice(from, from + atOnce)))
  await Promise.all(submitted)
  // A look at one index disturbs less than asking how much is unfinished, again and again.
  while ((await unfinishedIn(db, project)) > 0) await new Promise((rested) => setTimeout(rested, lookEveryMs))
  // Each follows from one before it.
  for (const kind of kinds) await db.effects.ready(kind, { below: 1, timeoutMs: settleMs })
}

async function unfinishedIn(db: Database, project: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT
    (SELECT count(*) FROM sources WHERE project = ${project} AND state = 'waiting') +
    (SELECT count(*) FROM extractions WHERE project = ${project} AND embedding_id IS NULL) +
    (SELECT count(*) FROM extractions WHERE project = ${project} AND llm_state = 'waiting') AS count`.execute(
    db.read('eventual'),
  )
  return Number(rows[0]?.count)
}

/** What there is of the documents, without what differs from run to run. */
async function madeIn({ postgres }: Round): Promise<string> {
  const client = new Client({ connectionString: postgres })
  await client.connect()
  try {
    const { rows } = await client.query(
      `SELECT (SELECT md5(string_agg(concat_ws(' ', id, title, embedding_id, embed_state, summary, llm_state), E'\\n' ORDER BY id))
          FROM extractions) AS extractions,
        (SELECT count(*) FROM extractions WHERE embed_state = 'done' AND llm_state = 'done') AS done,
        (SELECT md5(string_agg(concat_ws(' ', extraction, kind, name, count, origin), E'\\n' ORDER BY extraction, kind, name))
          FROM entities) AS entities,
        (SELECT count(*) FROM entities) AS named`,
    )
    return JSON.stringify(rows[0])
  } finally {
    await client.end()
  }
}
