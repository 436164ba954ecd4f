/** The few numbers that tell how it is, large. */
import type { VNode } from 'preact'
import type { Stats } from '../api/answers.ts'
import { letterCounts } from '../api/connection.ts'
import { formatBytes, formatCount, formatMs, grouped, splitUnit } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import { useStore } from '../ui/store.ts'
import type { History, Values } from './history.ts'
import { Sparkline } from './sparkline.ts'

interface FigureProps {
  readonly label: string
  readonly value: string
  readonly detail: string
  readonly exact?: string
  readonly values: readonly (number | null)[]
  readonly tone?: 'calm' | 'warn' | 'bad'
  readonly link?: string
}

export function Figures({ stats, shown }: { stats: Stats; shown: History }): VNode {
  const counts = useStore(letterCounts)
  const { queue, committed, deadLetters, storage } = stats
  const rate = shown.rowsPerSecond.at(-1) ?? 0
  return html`<section class="figures" aria-label="How it is now">
    <${Figure}
      label="Rows a second"
      value=${formatCount(rate)}
      detail=${`most ${formatCount(Math.max(0, ...shown.rowsPerSecond.map(Number)))}`}
      values=${shown.rowsPerSecond}
    />
    <${Figure}
      label="Committed"
      value=${formatCount(committed.operations)}
      exact=${grouped(committed.operations)}
      detail=${`in ${formatCount(committed.batches)} ${committed.batches === 1 ? 'batch' : 'batches'}`}
      values=${totals(committed.operations, shown.rowsPerSecond)}
    />
    <${Figure}
      label="Pending"
      value=${formatCount(queue.operations)}
      detail=${queue.isFull ? 'the queue is full' : pendingDetail(queue)}
      values=${shown.queued}
      tone=${queue.isFull ? 'bad' : 'calm'}
    />
    <${Figure}
      label="Dead letters"
      value=${formatCount(deadLetters)}
      detail=${deadLetters === 0 ? 'nothing was refused' : 'look at them'}
      values=${counts}
      tone=${deadLetters === 0 ? 'calm' : 'warn'}
      link="#/dead-letters"
    />
    <${Figure}
      label="Database"
      value=${formatBytes(storage.databaseBytes)}
      exact=${`${grouped(storage.databaseBytes)} bytes`}
      detail=${`WAL ${formatBytes(storage.walBytes)}`}
      values=${shown.databaseBytes}
    />
  </section>`
}

function pendingDetail({ operations, oldestMs, maxOperations }: Stats['queue']): string {
  const oldest = operations > 0 ? (oldestMs ?? 0) : 0
  return oldest > 0 ? `oldest waits ${formatMs(oldest)}` : `room for ${formatCount(maxOperations)}`
}

/** The total as it grew: from what it is now, back by what was added each second. */
function totals(now: number, added: Values): Values {
  let total = now
  return added
    .toReversed()
    .map((value) => (total -= value ?? 0) + (value ?? 0))
    .toReversed()
}

function Figure({ label, value, detail, exact, values, tone = 'calm', link }: FigureProps): VNode {
  const [figure, unit] = splitUnit(value)
  const content = html`
    <h2>${label}</h2>
    <p class="figure-value" title=${exact}>
      ${figure}${unit !== '' && html`<span class="unit">${unit}</span>`}
    </p>
    <p class="figure-detail">${detail}</p>
    <${Sparkline} values=${values} />
  `
  const name = `figure tone-${tone}`
  return link === undefined
    ? html`<div class=${name}>${content}</div>`
    : html`<a class=${name} href=${link}>${content}</a>`
}
