/** A day and a time, in the reader's own zone. */
import type { VNode } from 'preact'
import { formatDay, formatTime } from './format.ts'
import { html } from './html.ts'

export function Moment({ ms }: { ms: number }): VNode {
  return html`<time datetime=${new Date(ms).toISOString()}>
    ${formatDay(ms, Date.now())} ${formatTime(ms)}
  </time>`
}
