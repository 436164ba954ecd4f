/** Finds the best number of rows in one INSERT for each multi-row contender, so that we race its best. */

import { verifyRows } from '../database.ts'
import type { PeerName } from '../peers/index.ts'
import { whole } from '../report/format.ts'
import { heading, table } from '../report/table.ts'
import { STATEMENT_ROUNDS, STATEMENT_SIZES } from '../workloads/sizes.ts'
import type { RateBySize } from '../workloads/statement-size.ts'
import { runJob, type Context } from './context.ts'

const MULTI_ROW_PEERS: readonly PeerName[] = ['better-sqlite3/multi-row', 'node:sqlite/multi-row']
/** The full run finds little difference between sizes; a quick one takes this. */
const DEFAULT_SIZE = 25
const ROWS = 20_000

export class StatementSizes {
  readonly rates: Partial<Record<PeerName, RateBySize>>

  constructor(rates: Partial<Record<PeerName, RateBySize>>) {
    this.rates = rates
  }

  bestFor(peer: PeerName): number {
    const rates = this.rates[peer]
    if (!rates) return DEFAULT_SIZE
    return STATEMENT_SIZES.reduce((best, size) => ((rates[size] ?? 0) > (rates[best] ?? 0) ? size : best))
  }
}

export async function findStatementSizes(context: Context): Promise<StatementSizes> {
  if (context.options.quick) return new StatementSizes({})
  const rates: Partial<Record<PeerName, RateBySize>> = {}
  for (const peer of MULTI_ROW_PEERS.filter(context.isListed)) {
    context.progress(`best rows per INSERT: ${peer}`)
    const written = ROWS * (STATEMENT_ROUNDS + 1) * STATEMENT_SIZES.length
    rates[peer] = await runJob<RateBySize>(
      context,
      { workload: 'statement-size', peer, rows: ROWS },
      { check: (file) => verifyRows(file, written, context.options.rowBytes) },
    )
  }
  const sizes = new StatementSizes(rates)
  const lines = Object.entries(rates).map(([peer, bySize]) => [
    peer,
    ...STATEMENT_SIZES.map((size) => whole(bySize[size])),
    String(sizes.bestFor(peer as PeerName)),
  ])
  if (lines.length > 0) {
    context.print(heading('Rows in one INSERT: rows/s of the multi-row contenders; each races at its best'))
    context.print(table(['contender', ...STATEMENT_SIZES.map(String), 'best'], lines))
  }
  return sizes
}
