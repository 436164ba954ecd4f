/**
 * `npm run logs-soak`: a log store at full rate for many minutes, with tails, searches and a retention. Prints a line a
 * window, and in the end whether it stayed flat and within its limit, and whether each entry is stored or deleted,
 * once. Ends with code 1 if not.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TEXT, wholeNumber } from '../bench/options/parse.ts'
import { table } from '../bench/report/table.ts'
import { openLogs } from '../src/logs/index.ts'
import { sqlite } from '../src/stores/sqlite/index.ts'
import { command } from './command.ts'
import { Follower } from './logs-soak/follower.ts'
import { judgeCounts, judgeLogs, lookInto } from './logs-soak/verdict.ts'
import { LogWindowMeter, type LogWindow } from './logs-soak/window.ts'
import { LogWorkload } from './logs-soak/workload.ts'

const usage = `Usage: npm run logs-soak -- [--minutes N] [--max-megabytes N]

  --minutes N          how long (10); a window takes a 24th of it, at least 5 seconds
  --max-megabytes N    what retention keeps the database within (2000)`

const slowPauseMs = 100

interface Soaked {
  readonly windows: readonly LogWindow[]
  readonly accepted: number
  readonly followers: readonly Follower[]
}

await command(usage, { minutes: TEXT, 'max-megabytes': TEXT }, async (given) => {
  const totalMs = wholeNumber('minutes', given.minutes, 10) * 60_000
  const limitMb = wholeNumber('max-megabytes', given['max-megabytes'], 2_000, 50)
  const windowMs = Math.max(5_000, totalMs / 24)
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-logs-soak-'))
  const file = path.join(folder, 'app.db')
  try {
    const { windows, accepted, followers } = await soak(
      file,
      Math.round(totalMs / windowMs),
      windowMs,
      limitMb,
    )
    console.log(table(Object.keys(windows[0] ?? {}), windows.map(cellsOf)))
    const verdicts = [judgeLogs(windows, limitMb), judgeCounts(lookInto(file), accepted, followers)]
    const isGood = verdicts.every(({ isFlat }) => isFlat)
    console.log(
      `\n${verdicts.flatMap(({ lines }) => lines).join('\n')}\n\n${isGood ? 'flat, and whole' : 'NOT FLAT, OR NOT WHOLE'}`,
    )
    return isGood ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
})

async function soak(file: string, count: number, windowMs: number, limitMb: number): Promise<Soaked> {
  const logs = await openLogs(sqlite(file), { writer: 'soak', retention: { maxBytes: limitMb * 1e6 } })
  const fast = new Follower('the fast tail', logs, 0)
  const slow = new Follower('the slow tail', logs, slowPauseMs)
  const workload = new LogWorkload(logs)
  const windows: LogWindow[] = []
  const startedMs = performance.now()
  while (windows.length < count) {
    const before = workload.accepted
    const meter = new LogWindowMeter(file, logs)
    const endsMs = startedMs + (windows.length + 1) * windowMs
    await workload.run(AbortSignal.timeout(Math.max(1, Math.round(endsMs - performance.now()))), meter)
    windows.push(await meter.end(workload.accepted - before, workload.accepted - fast.last))
    const seconds = Math.round((performance.now() - startedMs) / 1_000)
    console.error(`${seconds} s: ${described(windows.at(-1) as LogWindow)}`)
  }
  await fast.reach(workload.accepted)
  for (const follower of [fast, slow]) await follower.stop()
  await logs.close()
  return { windows, accepted: workload.accepted, followers: [fast, slow] }
}

function cellsOf(window: LogWindow): string[] {
  return Object.values(window).map((value: number) => value.toFixed(1))
}

function described(window: LogWindow): string {
  return Object.entries(window)
    .map(([name, value]: [string, number]) => `${name} ${value.toFixed(1)}`)
    .join(', ')
}
