/** `npm run bench -- live`: rows that a job holds in memory, beside other ways to keep them. Sections in order, then goals. */
import { runCommand } from './command.ts'
import { parseLiveOptions, type LiveBenchOptions, type LiveSectionName } from './options/live.ts'
import { PRAGMAS } from './peers/peer.ts'
import type { Goal } from './report/goals.ts'
import type { Context } from './sections/context.ts'
import { compareChanges } from './sections/live/change.ts'
import { liveGoalsOf, type MeasuredLive } from './sections/live/goals.ts'
import { compareMemory } from './sections/live/memory.ts'
import { comparePipelines } from './sections/live/pipeline.ts'
import { CHANGES_PER_TURN } from './workloads/live/sizes.ts'

const HOW_TAKEN = [
  'Each contender runs in a process and a file of its own, one after another, round by round; figures are medians',
  'over the rounds, percentiles too (of each round, then their median). Every row that is read is compared with what was',
  'changed, and all rows of every file are compared afterwards, or the run fails. All use the same pragmas:',
  `  ${PRAGMAS.join(', ')}.`,
  'tidemark/live: a live scope. tidemark/calls: upserts that nobody awaits, and `db.get`. tidemark/atomic: one group a',
  'stage, awaited. tidemark/each: every upsert awaited. map: objects in a Map, changed in place and lost with the process. The drivers: a',
  'prepared UPDATE that commits by itself, and a prepared SELECT, on the main thread.',
  `A change sets two columns of one row, and the row is read at once. The event loop turns after ${CHANGES_PER_TURN} of them. from the`,
  'call: to the answer, mean of a turn. all in: the whole time by the changes, with the turns, and until all is committed.',
  'CPU: of the main thread, so that a busy machine does not count. changes/write: changes that became one operation in',
  'the file. delay: of the event loop, as Node records it (1 ms timer, so idle is 1.1). others: processors kept busy by',
  'other processes meanwhile.',
]

export async function benchLive(args: readonly string[]): Promise<void> {
  await runCommand({ name: 'live', options: parseLiveOptions(args), howTaken: HOW_TAKEN, run: runSections })
}

async function runSections(
  context: Context<LiveBenchOptions>,
): Promise<{ sections: object; goals: readonly Goal[] }> {
  const wants = (section: LiveSectionName): boolean => context.options.sections.includes(section)
  const measured: MeasuredLive = {
    ...(wants('change') && { changes: await compareChanges(context) }),
    ...(wants('memory') && { memory: await compareMemory(context) }),
    ...(wants('pipeline') && { pipelines: await comparePipelines(context) }),
  }
  return { sections: measured, goals: liveGoalsOf(measured) }
}
