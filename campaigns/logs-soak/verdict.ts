/** Whether a log store stayed flat, kept within its limit, and lost nothing. */
import { indexedRows } from '../../bench/workloads/logs/indexed.ts'
import { DatabaseSync } from 'node:sqlite'
import { judgeFlat, said, type Bound, type Verdict } from '../soak/verdict.ts'
import type { Follower } from './follower.ts'
import type { LogWindow } from './window.ts'

/** Wide enough for a machine that does other work beside it, and far below what a leak makes of minutes. */
const bounds: readonly Bound<LogWindow>[] = [
  { of: 'heapMb', what: 'heap after collection', unit: 'MB', factor: 1.05, plus: 2 },
  { of: 'rssMb', what: 'RSS', unit: 'MB', factor: 1.1, plus: 20 },
  { of: 'commitP99Ms', what: 'accepted to committed, p99', unit: 'ms', factor: 1.5, plus: 50 },
  { of: 'loopDelayP99Ms', what: 'event-loop delay, p99', unit: 'ms', factor: 1.5, plus: 10 },
  { of: 'searchP99Ms', what: 'search, p99', unit: 'ms', factor: 1.5, plus: 50 },
  { of: 'walMb', what: 'write-ahead log', unit: 'MB', factor: 1.5, plus: 16 },
]

/** Retention keeps a tenth below its limit for what comes in between two looks; of a small limit that is too little. */
const betweenLooksMb = 200

export function judgeLogs(windows: readonly LogWindow[], limitMb: number): Verdict {
  const { isFlat, lines } = judgeFlat(windows, bounds)
  const mostMb = Math.max(...windows.map(({ mostUsedMb }) => mostUsedMb))
  const most = Math.max(limitMb, 0.9 * limitMb + betweenLooksMb)
  const used = said(
    mostMb <= most,
    `the most of the database that was in use: ${mostMb.toFixed(0)} MB`,
    `${most.toFixed(0)} MB`,
  )
  return { isFlat: isFlat && used.holds, lines: [...lines, used.line] }
}

/** What is in the file, when nobody has it open. */
export interface Found {
  readonly rows: number
  readonly oldest: number
  readonly newest: number
  /** Entries whose number is not their id. */
  readonly strangers: number
  readonly indexed: number
  readonly letters: number
}

export function lookInto(file: string): Found {
  const database = new DatabaseSync(file)
  const found = database
    .prepare(
      `SELECT count(*) AS rows, min(id) AS oldest, max(id) AS newest,
              sum(message NOT LIKE 'entry' || id || ' %') AS strangers,
              (SELECT count(*) FROM tidemark_dead_letters) AS letters
       FROM logs`,
    )
    .get()
  const indexed = indexedRows(database)
  database.close()
  // One row, with the columns above.
  return { ...found, indexed } as unknown as Found
}

/** Every number was accepted once, so ids without a gap say that nothing was lost, and the first of them what was deleted. */
export function judgeCounts(
  { rows, oldest, newest, strangers, indexed, letters }: Found,
  accepted: number,
  followers: readonly Pick<Follower, 'name' | 'seen' | 'missed' | 'last'>[],
): Verdict {
  const deleted = oldest - 1
  const checks: readonly (readonly [boolean, string])[] = [
    [
      rows + deleted === accepted,
      `${rows} stored and ${deleted} deleted are ${rows + deleted}, of ${accepted} accepted`,
    ],
    [newest === accepted, `the newest id is ${newest}`],
    [newest - oldest + 1 === rows, `the ids ${oldest} to ${newest} have no gap`],
    [strangers === 0, `${strangers} entries are not where their number says`],
    [indexed === rows, `${indexed} are in the full-text index, which is whole`],
    [letters === 0, `${letters} dead letters`],
    ...followers.map(({ name, seen, missed, last }) => {
      const text = `${name}: ${seen} seen once and in order, ${missed} were deleted before it came, to ${last}`
      return [seen + missed === last, text] as const
    }),
  ]
  return {
    isFlat: checks.every(([holds]) => holds),
    lines: checks.map(([holds, text]) => `${holds ? 'holds   ' : 'BROKEN  '} ${text}`),
  }
}
