/** `npm run bench -- reads`: reads that say how fresh they are, beside bare drivers. Sections in order, then goals. */

import { runCommand } from './command.ts'
import { parseReadOptions, type ReadBenchOptions, type ReadSectionName } from './options/reads.ts'
import { PRAGMAS } from './peers/peer.ts'
import type { Goal } from './report/goals.ts'
import type { Context } from './sections/context.ts'
import { compareEventual } from './sections/reads/eventual.ts'
import { compareGet } from './sections/reads/get.ts'
import { readGoalsOf, type MeasuredReads } from './sections/reads/goals.ts'
import { measurePending } from './sections/reads/pending.ts'
import { compareReadAfterWrite } from './sections/reads/read-after-write.ts'
import { compareTogether } from './sections/reads/together.ts'

const HOW_TAKEN = [
  'Each contender runs in a process and a file of its own, one after another, round by round; figures are medians',
  'over the rounds, percentiles too (of each round, then their median). Every row read is compared with the row that',
  'was written, and the rows of every file are counted afterwards, or the run fails. All use the same pragmas:',
  `  ${PRAGMAS.join(', ')}.`,
  'At full rate: rows are inserted as fast as the contender takes them. Tidemark yields to the event loop after 256 kB',
  'of rows and waits when its queue is full (`whenFull: wait`, so that it refuses nobody); the bare drivers commit',
  '1,000 rows a transaction on the main thread, and yield after each.',
  'Requests come from a thread that sends messages at random moments, so many a second on average, as a socket would.',
  'from arrival: since that thread sent it, with all that kept the main thread from taking it; from the call: since it',
  'was taken. A blocking driver makes its callers wait before the call, so only the first compares.',
  'delay: of the event loop, as Node records it (1 ms timer, so idle is 1.1). peak: highest resident memory. others:',
  'processors kept busy by other processes meanwhile.',
]

export async function benchReads(args: readonly string[]): Promise<void> {
  await runCommand({ name: 'reads', options: parseReadOptions(args), howTaken: HOW_TAKEN, run: runSections })
}

async function runSections(
  context: Context<ReadBenchOptions>,
): Promise<{ sections: object; goals: readonly Goal[] }> {
  const wants = (section: ReadSectionName): boolean => context.options.sections.includes(section)
  const measured: MeasuredReads = {
    ...(wants('read-after-write') && { readAfterWrite: await compareReadAfterWrite(context) }),
    ...(wants('get') && { get: await compareGet(context) }),
    ...(wants('eventual') && { eventual: await compareEventual(context) }),
    ...(wants('together') && { together: await compareTogether(context) }),
    ...(wants('pending') && { pending: await measurePending(context) }),
  }
  return { sections: measured, goals: readGoalsOf(measured) }
}
