/** The figures as a person reads them. */
import { count } from '../terminal/progress.ts'
import type { Latency } from './latency.ts'
import type { Measured } from './measure.ts'
import type { Place } from './place.ts'
import type { Suggestion } from './suggest.ts'

export interface BenchResult extends Measured {
  readonly database: string
  readonly takenAt: string
  readonly seconds: number
  readonly suggested: Suggestion
}

export function benchText(result: BenchResult, kind: Place['kind']): string {
  const { roundTrip, commit, unawaitedCommit, insert, callers, batches, reads, suggested } = result
  const place =
    kind === 'postgres'
      ? 'a schema of its own, which is dropped again'
      : 'a file of its own beside it, which is removed again'
  const readers = kind === 'postgres' ? `{ max: ${suggested.readers} }` : suggested.readers
  return [
    `${result.database}, ${result.takenAt}: rows of about 250 bytes, in ${place}`,
    '',
    line('round trip', latency(roundTrip)),
    line('a commit without an engine', latency(commit)),
    ...(unawaitedCommit === null ? [] : [line('… not waited for', latency(unawaitedCommit))]),
    line('an awaited insert', latency(insert)),
    '',
    ...callers.map((each) =>
      line(`${count(each.callers)} awaiting at once`, `${rate(each.perSecond, 'rows')}, ${latency(each)}`),
    ),
    '',
    ...batches.map((each) => line(`batches of ${count(each.maxOperations)}`, rate(each.perSecond, 'rows'))),
    '',
    ...reads.map((each) =>
      line(
        `${count(each.readers)} ${each.readers === 1 ? 'reader' : 'readers'}`,
        `${rate(each.perSecond, 'reads')}, ${latency(each)}`,
      ),
    ),
    '',
    `Suggested: batch: { maxOperations: ${suggested.maxOperations} }, and readers: ${readers}`,
    ...suggested.because.map((sentence) => `  ${sentence}`),
    `  Taken in ${result.seconds} s with nothing else asked of this process; what others ask of the machine is in it.`,
    '',
  ].join('\n')
}

function line(name: string, value: string): string {
  return `${name.padEnd(28)}${value}`
}

function latency({ p50Ms, p99Ms }: Latency): string {
  return `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`
}

function rate(perSecond: number, what: string): string {
  return `${count(perSecond)} ${what}/s`
}
