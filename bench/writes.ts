/** `npm run bench -- writes`: the write path against what people use today. Sections in order, then the goals. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseWriteOptions, type SectionName, type WriteOptions } from './options.ts'
import { PRAGMAS } from './peers/peer.ts'
import { readEnvironment } from './report/environment.ts'
import { goalsTable, judge } from './report/goals.ts'
import { saveResults } from './report/results.ts'
import { heading } from './report/table.ts'
import type { Context } from './sections/context.ts'
import { goalsOf, type Measured } from './sections/goals.ts'
import { measureLatencies } from './sections/latency.ts'
import { measureMemory } from './sections/memory.ts'
import { findStatementSizes } from './sections/statement-size.ts'
import { sweepBatchSizes } from './sections/sweep.ts'
import { compareLargeRows, compareThroughput } from './sections/throughput.ts'

const GOAL_ROW_BYTES = 250

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
  const options = parseWriteOptions(args)
  const parent = resolve(options.folder ?? tmpdir())
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'tidemark-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

  const context = createContext(options, folder)
  const environment = readEnvironment(folder)
  context.print('Tidemark: writes')
  for (const [name, value] of Object.entries(environment)) {
    const text = typeof value === 'string' ? value : Object.entries(value).flat().join(' ')
    context.print(`  ${name.padEnd(11)} ${text}`)
  }
  context.print(`\n${HOW_TAKEN.join('\n')}`)

  const { measured, sections } = await runSections(context)
  const goals = goalsOf(measured)
  context.print(heading('Goals: printed, not asserted; medians of this run on this machine'))
  context.print(goalsTable(goals))
  if (options.rowBytes !== GOAL_ROW_BYTES) {
    context.print(`The goals are meant for rows of ${GOAL_ROW_BYTES} bytes; these had ${options.rowBytes}.`)
  }
  const verdicts = goals.map((goal) => ({ ...goal, verdict: judge(goal) }))
  const { folder: _folder, json: _json, profile: _profile, ...shown } = options
  const results = {
    command: 'writes',
    environment,
    options: shown,
    howTaken: HOW_TAKEN,
    sections,
    goals: verdicts,
  }
  context.print(`\nAll rounds: ${saveResults(results, options.json)}`)
}

async function runSections(context: Context): Promise<{ measured: Measured; sections: object }> {
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
  return { measured, sections: { statementSizes: sizes?.rates, ...measured, sweep } }
}

function createContext(options: WriteOptions, folder: string): Context {
  const isTerminal = process.stderr.isTTY
  const clear = (): void => void (isTerminal && process.stderr.write('\r\x1b[K'))
  return {
    options,
    folder,
    profileFolder: options.profile && resolve(options.profile),
    isListed: (peer) => options.only.includes(peer),
    print: (text) => {
      clear()
      console.log(text)
    },
    progress: (text) => {
      clear()
      if (isTerminal) process.stderr.write(`  ${text} …`)
    },
  }
}
