/** What an ingest says when it is through with a file: what is in, what is not, and what to do about it. */
import type { IngestReport } from '../ingest/ingest-source.ts'
import { count } from '../terminal/progress.ts'

export function describeReport(file: string, database: string, report: IngestReport): string {
  const name = file === '-' ? 'standard input' : file
  const perSecond = count((report.rows / report.ms) * 1_000)
  const lines = [
    `${name}: ${counted(report.rows, 'row')} into table "${report.table}" of ${database} in ${duration(report.ms)} ` +
      `(${perSecond} rows/s, longest transaction ${report.longestTransactionMs.toFixed(1)} ms), read as ${report.format}`,
    ...aboutStart(report),
    ...aboutDeadLetters(database, report),
    ...aboutEnd(report),
  ]
  return `${lines.join('\n  ')}\n`
}

function* aboutStart({ rows, bad, format, detection, fromLine, restartReason }: IngestReport) {
  if (detection && detection.confidence < 0.8 && rows + bad > 0)
    yield `not sure that it is ${format} (${detection.reason}); --format says it`
  if (fromLine > 0) yield `went on behind line ${count(fromLine)}, where the last run ended`
  if (restartReason !== undefined) yield `read from its beginning: ${restartReason}`
}

function* aboutDeadLetters(database: string, { bad, firstBad, refused }: IngestReport) {
  if (firstBad !== undefined)
    yield `${counted(bad, 'bad line')} kept as dead letters, the first is line ${count(firstBad.line)}: ${firstBad.error}`
  if (refused > 0) yield `${counted(refused, 'row')} refused by the database and kept as dead letters`
  if (bad + refused > 0) yield `see them: npx tidemark dead-letters --db ${database}`
}

function* aboutEnd({ incomplete, isResumable, wasStopped, failure }: IngestReport) {
  if (incomplete)
    yield `line ${count(incomplete.line)}, the last, is not finished (${incomplete.error}) and is left for the next run`
  if (!isResumable) yield 'a stream cannot be resumed: run again, its lines are written again'
  if (wasStopped && isResumable && failure === undefined) yield 'stopped; the same command goes on from here'
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.ceil(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

function counted(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`
}
