/** The questions that the charts answer, one each, and the series that answer it. */
import { formatBytes, formatCount, formatMs } from '../ui/format.ts'
import type { Column, Values } from './history.ts'

export interface Series<C extends string = string> {
  readonly column: C
  /** What the figure in the chart's head and its spoken summary call it. */
  readonly label: string
  readonly format: (value: number) => string
  /** Scales of one name are shared; a second one has its axis at the right. */
  readonly scale: 'left' | 'right'
}

export interface Question<C extends string = string> {
  readonly title: string
  readonly series: readonly [Series<C>, ...Series<C>[]]
  /** The axis reaches at least here, so that noise around nothing does not look like a storm. */
  readonly atLeast: number
  readonly atLeastRight?: number
}

const rate = (value: number): string => formatCount(value)

/** What is drawn: a column for each series, and the times. */
export type ChartData = Readonly<Record<string, Values>> & { readonly t: Values }

export const QUESTIONS: readonly Question<Column>[] = [
  {
    title: 'How fast do rows arrive?',
    series: [{ column: 'rowsPerSecond', label: 'rows a second', format: rate, scale: 'left' }],
    atLeast: 10,
  },
  {
    title: 'Does anything wait?',
    series: [
      { column: 'queued', label: 'pending', format: formatCount, scale: 'left' },
      { column: 'pendingAgeMs', label: 'oldest', format: formatMs, scale: 'right' },
    ],
    atLeast: 10,
    atLeastRight: 100,
  },
  {
    title: 'How large are batches?',
    series: [{ column: 'batchSize', label: 'operations a batch', format: formatCount, scale: 'left' }],
    atLeast: 10,
  },
  {
    title: 'How long do transactions take?',
    series: [{ column: 'transactionMs', label: 'longest of a second', format: formatMs, scale: 'left' }],
    atLeast: 5,
  },
  {
    title: 'Is the event loop free?',
    series: [{ column: 'eventLoopP99Ms', label: 'delay, p99', format: formatMs, scale: 'left' }],
    atLeast: 20,
  },
  {
    title: 'How large is it?',
    series: [
      { column: 'databaseBytes', label: 'database', format: formatBytes, scale: 'left' },
      { column: 'walBytes', label: 'write-ahead log', format: formatBytes, scale: 'left' },
    ],
    atLeast: 1_000_000,
  },
]
