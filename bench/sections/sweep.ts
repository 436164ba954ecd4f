/** The same race with batches of 10 to 10,000 rows: where a batch starts to pay, and where it stops. */

import type { PeerName } from '../peers/index.ts'
import { decimal, times, whole } from '../report/format.ts'
import { heading, table } from '../report/table.ts'
import type { Context } from './context.ts'
import { race, ratioOver, spreadOver, type Standing } from './race.ts'
import type { StatementSizes } from './statement-size.ts'

const BATCH_SIZES = [10, 30, 100, 300, 1_000, 3_000, 10_000]
const QUICK_BATCH_SIZES = [10, 1_000, 10_000]
const PEERS: readonly PeerName[] = ['tidemark', 'better-sqlite3/rows', 'better-sqlite3/multi-row']

export interface SweepStep {
  readonly batchRows: number
  readonly standings: readonly Standing[]
}

export async function sweepBatchSizes(
  context: Context,
  sizes: StatementSizes,
): Promise<readonly SweepStep[]> {
  const { options } = context
  const steps: SweepStep[] = []
  const rows = Math.ceil(options.rows / 4)
  const rounds = options.quick ? 1 : Math.min(2, options.rounds)
  for (const batchRows of options.quick ? QUICK_BATCH_SIZES : BATCH_SIZES) {
    const entrants = PEERS.filter(context.isListed).map((peer) => ({
      peer,
      rowsPerCommit: batchRows,
      rowsPerStatement: Math.min(batchRows, sizes.bestFor(peer)),
    }))
    const title = `batches of ${batchRows}`
    const standings = await race(context, entrants, { rows, rowBytes: options.rowBytes, rounds, title })
    steps.push({ batchRows, standings })
  }
  printSteps(context, steps)
  return steps
}

function printSteps(context: Context, steps: readonly SweepStep[]): void {
  const peers = steps[0]?.standings.map(({ peer }) => peer) ?? []
  const lines = (cell: (standing: Standing, ours: Standing | undefined) => string): string[][] =>
    steps.map(({ batchRows, standings }) => {
      const ours = standings.find(({ peer }) => peer === 'tidemark')
      return [whole(batchRows), ...standings.map((standing) => cell(standing, ours))]
    })
  const headings = ['rows in a batch', ...peers]
  context.print(heading('Batches of 10 to 10,000 rows: rows/s, and how many times as fast ours is'))
  context.print(
    table(
      headings,
      lines((standing, ours) => {
        const rate = whole(spreadOver(standing, (round) => round.rowsPerSecond).median)
        return ours && ours !== standing ? `${rate} (${times(ratioOver(ours, standing).median)})` : rate
      }),
    ),
  )
  context.print('\nEvent-loop delay p99, ms')
  context.print(
    table(
      headings,
      lines((standing) => decimal(spreadOver(standing, (round) => round.loopDelayP99Ms).median, 2)),
    ),
  )
}
