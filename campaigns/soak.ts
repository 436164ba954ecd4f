/**
 * `npm run soak`: one process on one file, doing everything at once for many minutes. Prints a line a window, and in
 * the end whether memory, latency and files stayed flat. Ends with code 1 if they did not, or if an answer was wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TEXT, wholeNumber } from '../bench/options/parse.ts'
import { table } from '../bench/report/table.ts'
import { open } from '../src/index.ts'
import { sqlite } from '../src/stores/sqlite/index.ts'
import { change } from '../test/support/database.ts'
import { judge } from './soak/verdict.ts'
import { command } from './command.ts'
import { WindowMeter, type Window } from './soak/window.ts'
import { schema, Workload, type DB } from './soak/workload.ts'

const usage = `Usage: npm run soak -- [--minutes N]

  --minutes N    how long (10); a window takes a 24th of it, at least 5 seconds`

const headings = [
  'window',
  'operations/s',
  'heap, MB',
  'RSS, MB',
  'loop p99, ms',
  'commit p99, ms',
  'log, MB',
  'file, MB',
]

await command(usage, { minutes: TEXT }, async (given) => {
  const totalMs = wholeNumber('minutes', given.minutes, 10) * 60_000
  const windowMs = Math.max(5_000, totalMs / 24)
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-soak-'))
  const windows = await soak(path.join(folder, 'app.db'), Math.round(totalMs / windowMs), windowMs)
  rmSync(folder, { recursive: true })

  console.log(table(headings, windows.map(cellsOf)))
  const { isFlat, lines } = judge(windows)
  console.log(`\n${lines.join('\n')}\n\n${isFlat ? 'flat' : 'NOT FLAT'}`)
  return isFlat ? 0 : 1
})

async function soak(file: string, count: number, windowMs: number): Promise<Window[]> {
  change(file, schema)
  await using db = await open<DB>(sqlite(file), { writer: 'steady' })
  let meter: WindowMeter | undefined
  const workload = new Workload(file, db, (receipt) => meter?.observe(receipt))
  const windows: Window[] = []
  const startedMs = performance.now()
  while (windows.length < count) {
    const before = workload.operations
    meter = new WindowMeter(file, () => db.stats().store.walBytes)
    const endsMs = startedMs + (windows.length + 1) * windowMs
    await workload.run(AbortSignal.timeout(Math.max(1, Math.round(endsMs - performance.now()))))
    // Nothing is waited for any more; what has just ended is let go of in the next turns.
    await delay(50)
    windows.push(meter.end(workload.operations - before))
    const seconds = Math.round((performance.now() - startedMs) / 1_000)
    console.error(`${seconds} s: ${described(windows.at(-1) as Window)}`)
  }
  return windows
}

function cellsOf(window: Window, index: number, { length }: { length: number }): string[] {
  return [`${index + 1}/${length}`, ...Object.values(window).map((value: number) => value.toFixed(1))]
}

function described(window: Window): string {
  return Object.entries(window)
    .map(([name, value]: [string, number]) => `${name} ${value.toFixed(1)}`)
    .join(', ')
}
