/** What is shown when all is imported: a table, both ways side by side, and bars. */
import Table from 'cli-table3'
import type { Durations, ImportResult } from '../import/result.ts'

type Row = readonly [name: string, show: (result: ImportResult) => string]

const names = { tidemark: 'Tidemark', baseline: 'baseline' }
const barWidth = 40
/** More than this would hide the rest. */
const shownFaults = 30

function filesOf({ files }: ImportResult): number {
  return Object.values(files).reduce((sum, count) => sum + count, 0)
}

export function filesPerSecond(result: ImportResult): number {
  return filesOf(result) / result.seconds
}

/** Every transaction takes a lock: one that reads shares it, one that writes has it alone. */
export function locksPerFile(result: ImportResult): number {
  return (result.writes + result.reads) / recorded(result)
}

/** Each has to wait for the one before it. */
export function writeLocksPerFile(result: ImportResult): number {
  return result.writes / recorded(result)
}

/** The files that the database heard of. */
function recorded(result: ImportResult): number {
  return Math.max(1, filesOf(result) - result.files.skipped)
}

const rows: readonly Row[] = [
  ['files/s', (result) => number(filesPerSecond(result), 1)],
  ['seconds', ({ seconds }) => number(seconds, 1)],
  ['lock acquisitions a file', (result) => number(locksPerFile(result), 3)],
  ['  of them to write', (result) => number(writeLocksPerFile(result), 3)],
  ['a write, asked to committed, p50 / p99 ms', ({ writeMs }) => percentiles(writeMs)],
  ['  its transaction, p50 / p99 ms', ({ heldMs }) => (heldMs ? percentiles(heldMs) : '(not told)')],
  ['  the longest, ms', ({ heldMs, writeMs }) => number((heldMs ?? writeMs).longest, 1)],
  ['busy errors, each tried again', ({ busyErrors }) => number(busyErrors)],
  ['a worker waits, share of its time', ({ idle }) => `${number(100 * idle, 1)} %`],
  [
    'files imported / changed / unchanged',
    ({ files: { imported, changed, unchanged } }) => `${imported} / ${changed} / ${unchanged}`,
  ],
  [
    'files skipped / rejected / not audio by name',
    ({ files: { skipped, rejected }, others }) => `${skipped} / ${rejected} / ${others}`,
  ],
  [
    'artists / albums / songs / passages',
    ({ rows: { artists, albums, songs, passages } }) => `${artists} / ${albums} / ${songs} / ${passages}`,
  ],
  ['content', ({ content }) => content.slice(0, 12)],
]

export function report(results: readonly ImportResult[]): string {
  const table = new Table({
    head: ['', ...results.map(({ mode }) => names[mode])],
    colAligns: ['left', ...results.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  })
  for (const [name, show] of rows) table.push([name, ...results.map(show)])
  return [table.toString(), '', ...chart(results), ...faults(results), verdict(results)].join('\n')
}

/** One bar alone says nothing. */
function chart(results: readonly ImportResult[]): string[] {
  if (results.length < 2) return []
  const bars = (title: string, value: (result: ImportResult) => number, digits: number): string[] => {
    const most = Math.max(...results.map(value))
    return [
      title,
      ...results.map((result) => {
        const share = most === 0 ? 0 : value(result) / most
        return `  ${names[result.mode]} ${'█'.repeat(Math.ceil(share * barWidth)).padEnd(barWidth)} ${number(value(result), digits)}`
      }),
    ]
  }
  return [
    ...bars('lock acquisitions a file', locksPerFile, 3),
    ...bars('files a second', filesPerSecond, 1),
    ...bars('a worker waits, %', ({ idle }) => 100 * idle, 1),
    '',
  ]
}

function faults(results: readonly ImportResult[]): string[] {
  const all = results[0]?.faults ?? []
  if (all.length === 0) return []
  const shown = all.slice(0, shownFaults).map(({ path, reason }) => `  ${path}: ${reason}`)
  const more = all.length > shownFaults ? [`  and ${all.length - shownFaults} more`] : []
  return ['Not imported', ...shown, ...more, '']
}

function verdict(results: readonly ImportResult[]): string {
  const [first, second] = results
  if (first === undefined || second === undefined) return `In ${first?.database}.`
  return first.content === second.content ? 'Both databases hold the same.' : 'THE TWO DATABASES DIFFER.'
}

function percentiles({ p50, p99 }: Durations): string {
  return `${number(p50, 1)} / ${number(p99, 1)}`
}

function number(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
