/** The report as lines of a terminal. */
import { stageAfter, stageNames } from '../stages/stage.ts'
import type { RunResult } from '../run.ts'
import { ms, spreadOf } from './statistics.ts'

export interface Named {
  readonly name: string
  readonly result: RunResult
}

export function describe(runs: readonly Named[]): string {
  return `${totals(runs)}\n\n${transitions(runs)}\n\n${bars(runs)}\n\n${verdict(runs)}`
}

function totals(runs: readonly Named[]): string {
  const rows = runs.map(({ name, result }) => {
    const { p50, p95, max } = spreadOf(result.latencies.map((latency) => latency.ms))
    const { totalMs, awaitedWrites, operations, transactions, books } = result
    const perBook = (awaitedWrites / books).toFixed(awaitedWrites === books ? 0 : 1)
    return [name, ms(p50), ms(p95), ms(max), ms(totalMs), perBook, String(operations), String(transactions)]
  })
  const head = ['', 'stage to stage p50', 'p95', 'max', 'total', 'writes awaited a job', 'writes', 'commits']
  return table([head, ...rows])
}

function transitions(runs: readonly Named[]): string {
  const rows = stageNames.flatMap((from) => {
    const to = stageAfter(from)
    if (to === undefined || runs.every(({ result }) => result.latencies.every((one) => one.from !== from)))
      return []
    const medians = runs.map(({ result }) =>
      ms(spreadOf(result.latencies.filter((one) => one.from === from).map((one) => one.ms)).p50),
    )
    return [[`${from} → ${to}`, ...medians]]
  })
  return table([['median', ...runs.map(({ name }) => name)], ...rows])
}

const widest = 48

/** Each tenfold is as long, from 0.1 ms. */
function bars(runs: readonly Named[]): string {
  const medians = runs.map(({ result }) => spreadOf(result.latencies.map((one) => one.ms)).p50)
  const lengths = medians.map((median) => Math.log10(Math.max(median, 0.11) / 0.1))
  const scale = widest / Math.max(...lengths)
  const width = Math.max(...runs.map(({ name }) => name.length))
  const lines = runs.map(({ name }, at) => {
    const bar = '█'.repeat(Math.max(1, Math.round((lengths[at] ?? 0) * scale)))
    return `${name.padEnd(width)}  ${bar} ${ms(medians[at] ?? 0)}`
  })
  return ['Stage to stage, median (each tenfold is as long)', ...lines].join('\n')
}

function verdict(runs: readonly Named[]): string {
  const hashes = new Set(runs.map(({ result }) => result.hash))
  const [hash = ''] = hashes
  return hashes.size === 1
    ? `All runs found the same: sha256 ${hash}`
    : `The runs differ: ${runs.map(({ name, result }) => `${name} ${result.hash.slice(0, 12)}`).join(', ')}`
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  '),
    )
    .join('\n')
}
