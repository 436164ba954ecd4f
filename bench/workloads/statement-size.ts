/** Rates of one contender with different numbers of rows in one INSERT, to race it at its best one. */

import type { Workload } from '../job.ts'
import { CommitLatency } from '../measure.ts'
import { PEERS } from '../peers/index.ts'
import { medianOf } from '../statistics.ts'
import { createRowPool } from './rows.ts'
import { STATEMENT_ROUNDS, STATEMENT_SIZES } from './sizes.ts'

export type RateBySize = Readonly<Record<number, number>>

export const statementSize: Workload<RateBySize> = async (job) => {
  const open = await PEERS[job.peer].load()
  const rows = createRowPool(job.rowBytes)
  const latency = new CommitLatency()
  const rates = new Map<number, number[]>(STATEMENT_SIZES.map((size) => [size, []]))
  let written = 0
  for (let round = 0; round <= STATEMENT_ROUNDS; round++) {
    for (const [rowsPerStatement, measured] of rates) {
      const peer = await open(job.file, rows, { ...job, rowsPerStatement })
      const start = performance.now()
      await peer.write(written, job.rows, latency)
      const elapsedMs = performance.now() - start
      written += job.rows
      await peer.close()
      // Round 0 is the warm-up.
      if (round > 0) measured.push(job.rows / (elapsedMs / 1000))
    }
  }
  return Object.fromEntries([...rates].map(([size, measured]) => [size, medianOf(measured)]))
}
