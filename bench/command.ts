/** What every benchmark does around its sections: a folder, where and how it was taken, the goals, the results. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CommonOptions } from './options/parse.ts'
import { readEnvironment } from './report/environment.ts'
import { goalsTable, judge, type Goal } from './report/goals.ts'
import { saveResults } from './report/results.ts'
import { heading } from './report/table.ts'
import type { Context } from './sections/context.ts'

const GOAL_ROW_BYTES = 250

export interface Command<Options extends CommonOptions> {
  readonly name: string
  readonly options: Options
  readonly howTaken: readonly string[]
  /** Runs the sections that were asked for; each prints its own tables. */
  run(context: Context<Options>): Promise<{ readonly sections: object; readonly goals: readonly Goal[] }>
}

export async function runCommand<Options extends CommonOptions>(command: Command<Options>): Promise<void> {
  const { name, options, howTaken } = command
  const parent = resolve(options.folder ?? tmpdir())
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'tidemark-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

  const context = createContext(options, folder)
  const environment = readEnvironment(folder)
  context.print(`Tidemark: ${name}`)
  for (const [label, value] of Object.entries(environment)) {
    const text = typeof value === 'string' ? value : Object.entries(value).flat().join(' ')
    context.print(`  ${label.padEnd(11)} ${text}`)
  }
  context.print(`\n${howTaken.join('\n')}`)

  const { sections, goals } = await command.run(context)
  context.print(heading('Goals: printed, not asserted; medians of this run on this machine'))
  context.print(goalsTable(goals))
  if (options.rowBytes !== undefined && options.rowBytes !== GOAL_ROW_BYTES) {
    context.print(`The goals are meant for rows of ${GOAL_ROW_BYTES} bytes; these had ${options.rowBytes}.`)
  }
  const verdicts = goals.map((goal) => ({ ...goal, verdict: judge(goal) }))
  const { folder: _folder, json: _json, profile: _profile, ...shown } = options
  const results = { command: name, environment, options: shown, howTaken, sections, goals: verdicts }
  context.print(`\nAll rounds: ${saveResults(results, options.json)}`)
}

function createContext<Options extends CommonOptions>(options: Options, folder: string): Context<Options> {
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
