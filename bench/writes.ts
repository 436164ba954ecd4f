/** `npm run bench -- writes`: the write path against what people use today. Sections in order, then the goals. */

import { runCommand } from './command.ts'
import { parseWriteOptions, type SectionName } from './options/writes.ts'
import { PRAGMAS } from './peers/peer.ts'
import type { Goal } from './report/goals.ts'
import type { Context } from './sections/context.ts'
import { goalsOf, type Measured } from './sections/goals.ts'
import { measureLatencies } from './sections/latency.ts'
import { measureMemory } from './sections/memory.ts'
import { findStatementSizes } from './sections/statement-size.ts'
import { sweepBatchSizes } from './sections/sweep.ts'
import { compareLargeRows, compareThroughput } from './sections/throughput.ts'

const HOW_TAKEN = [
  'Each contender runs in a process and a file of its own, one after another, round by round; figures are medians',
  'over the rounds. Every file is read back afterwards: all rows once, in order, whole, or the run fails.',
  'All use the same pragmas:',
  `  ${PRAGMAS.join(', ')}.`,
  'Contenders that block yield to the event loop after each transaction (after 50, where it is one row); tidemark',
  'yields after 256 kB of rows, tidemark/greedy only when its queue is full.',
  'ours is: rate of tidemark against the contender in the same round, median. µs/row: CPU of the thread that inserts;',
  'all: of all threads of the process. delay: of the event loop, as Node records it (1 ms timer, so idle is 1.1).',
  'peak: highest resident memory; grew: above what it was when the clock started. commits: counted by SQLite in the',
  'WAL index, read by another process; each takes the write lock once. to disk: from the call to the commit (write',
  'to the WAL), every 100th row, by position and commit event: nothing awaits a receipt, so no linger is cut short.',
  'log: the most the write-ahead log held; left: its pages not yet copied back at the end. Tidemark copies it back on',
  'a thread of its own, the others at the commit that finds it 1,000 pages long.',
  'others: processors kept busy by other processes meanwhile.',
]

export async function benchWrites(args: readonly string[]): Promise<void> {
  await runCommand({
    name: 'writes',
    options: parseWriteOptions(args),
    howTaken: HOW_TAKEN,
    run: runSections,
  })
}

async function runSections(context: Context): Promise<{ sections: object; goals: readonly Goal[] }> {
  const wants = (section: SectionName): boolean => context.options.sections.includes(section)
  const isRace = wants('throughput') || wants('large-rows') || wants('sweep')
  const sizes = isRace ? await findStatementSizes(context) : undefined
  const measured: Measured = {
    ...(sizes && wants('throughput') && { standings: await compareThroughput(context, sizes) }),
    ...(sizes && wants('large-rows') && { largeRows: await compareLargeRows(context, sizes) }),
    ...(wants('latency') && { latencies: await measureLatencies(context) }),
    ...(wants('memory') && { memory: await measureMemory(context) }),
  }
  const sweep = sizes && wants('sweep') ? await sweepBatchSizes(context, sizes) : undefined
  return { goals: goalsOf(measured), sections: { statementSizes: sizes?.rates, ...measured, sweep } }
}
