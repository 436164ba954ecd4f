/** One caller that awaits each insert, a few at a time: between them it lets another contender have its turn. */
import type { PostgresJob, Workload } from '../../job.ts'
import { POSTGRES_PEERS } from '../../peers/postgres/index.ts'
import { medianOf, percentilesOf, type Percentiles } from '../../statistics.ts'
import { rowsOf } from './rows.ts'

const INSERTS_PER_TURN = 25
/** Not counted: the first ones of a turn find a process that has slept. */
const WARM_INSERTS = 3
const WARM_TURNS = 4

export interface OneCaller {
  readonly waitsMs: Percentiles
  /** Of each turn, the median. */
  readonly turnsMs: readonly number[]
  readonly written: number
}

export const oneCaller: Workload<OneCaller, PostgresJob> = async (job, pause) => {
  const open = await POSTGRES_PEERS[job.peer].load()
  const peer = await open(job.url, rowsOf(job.table), job)
  if (!peer.insertOne) throw new Error(`${job.peer} has no way to write a single row`)
  const waitsMs: number[] = []
  const turnsMs: number[] = []
  let written = 0
  for (let turn = 0; turn < WARM_TURNS + job.rows / INSERTS_PER_TURN; turn++) {
    await pause('the next turn')
    const ofTurn: number[] = []
    for (let at = 0; at < WARM_INSERTS + INSERTS_PER_TURN; at++) {
      const start = performance.now()
      await peer.insertOne?.(written++)
      if (at >= WARM_INSERTS) ofTurn.push(performance.now() - start)
    }
    if (turn < WARM_TURNS) continue
    waitsMs.push(...ofTurn)
    turnsMs.push(medianOf(ofTurn))
  }
  await peer.close()
  return { waitsMs: percentilesOf(waitsMs), turnsMs, written }
}
