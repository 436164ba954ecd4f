/** `npm run bench -- logs`: the log store, in a program and over HTTP. Sections in order, then the goals. */
import { runCommand } from './command.ts'
import { parseLogOptions, type LogBenchOptions, type LogSectionName } from './options/logs.ts'
import { PRAGMAS } from './peers/peer.ts'
import type { Goal } from './report/goals.ts'
import type { Context } from './sections/context.ts'
import { logGoalsOf, type MeasuredLogs } from './sections/logs/goals.ts'
import { measureHttp } from './sections/logs/http.ts'
import { compareIngest } from './sections/logs/ingest.ts'
import { measureSearch } from './sections/logs/search.ts'
import { measureTail } from './sections/logs/tail.ts'

const HOW_TAKEN = [
  'Each contender runs in a process and a file of its own, one after another, round by round; figures are medians',
  'over the rounds. Every file is made by `openLogs` before the contender starts, so all write into the same table,',
  'index by time, full-text index with its settings, and triggers; and every file is read back afterwards: all rows',
  'once, in order, whole, and each in the full-text index, or the run fails. All use the same pragmas:',
  `  ${PRAGMAS.join(', ')}.`,
  'Entries have about 250 bytes; their attributes are an object that every contender turns into JSON text itself, except',
  'tidemark/storeRows, which gets rows as a server has them. Contenders that block yield after each transaction;',
  'tidemark yields after 256 kB of entries, and waits when its queue is full.',
  'delay: of the event loop, as Node records it (1 ms timer, so idle is 1.1). to disk: from the call to the commit, every',
  '100th row, by position and commit event. peak: highest resident memory. others: processors kept busy by other',
  'processes meanwhile; over HTTP the client and the server are each other’s.',
]

export async function benchLogs(args: readonly string[]): Promise<void> {
  await runCommand({ name: 'logs', options: parseLogOptions(args), howTaken: HOW_TAKEN, run: runSections })
}

async function runSections(
  context: Context<LogBenchOptions>,
): Promise<{ sections: object; goals: readonly Goal[] }> {
  const wants = (section: LogSectionName): boolean => context.options.sections.includes(section)
  const measured: MeasuredLogs = {
    ...(wants('ingest') && { ingest: await compareIngest(context) }),
    ...(wants('http') && { http: await measureHttp(context) }),
    ...(wants('search') && { search: await measureSearch(context) }),
    ...(wants('tail') && { tail: await measureTail(context) }),
  }
  return { sections: measured, goals: logGoalsOf(measured) }
}
