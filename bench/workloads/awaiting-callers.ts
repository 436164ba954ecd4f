/** Callers that await every insert before the next one: one of them, and sixteen side by side. */

import type { Workload } from '../job.ts'
import { openEngine } from '../peers/tidemark.ts'
import { medianOf } from '../statistics.ts'
import { createRowPool } from './rows.ts'
import { CALLERS } from './sizes.ts'

const ROUNDS = 3
const WARM_UP_MS = 200

export interface AwaitingCallers {
  readonly onePerSecond: number
  readonly manyPerSecond: number
  readonly written: number
}

export const awaitingCallers: Workload<AwaitingCallers> = async (job) => {
  const rows = createRowPool(job.rowBytes)
  const db = await openEngine(job.file)
  let written = 0
  const rate = async (callers: number, roundMs: number): Promise<number> => {
    const start = performance.now()
    const before = written
    const call = async (): Promise<void> => {
      while (performance.now() - start < roundMs) await db.insert('logs', rows.at(written++))
    }
    await Promise.all(Array.from({ length: callers }, call))
    return ((written - before) / (performance.now() - start)) * 1000
  }
  await rate(1, WARM_UP_MS)
  await rate(CALLERS, WARM_UP_MS)
  const one: number[] = []
  const many: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    one.push(await rate(1, job.roundMs))
    many.push(await rate(CALLERS, job.roundMs))
  }
  await db.close()
  return { onePerSecond: medianOf(one), manyPerSecond: medianOf(many), written }
}
