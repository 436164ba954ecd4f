/** What the server itself thinks somebody should look at. */
import type { VNode } from 'preact'
import type { Stats } from '../api/answers.ts'
import { formatMs } from '../ui/format.ts'
import { html } from '../ui/html.ts'

export function Alerts({ alerts }: { alerts: Stats['alerts'] }): VNode | null {
  if (alerts.length === 0) return null
  return html`<ul class="alerts" role="status">
    ${alerts.map(
      ({ kind, message, sinceMs }) =>
        html`<li key=${`${kind} ${message}`}>
          <b>${message}</b> <span class="muted">for ${formatMs(sinceMs)}</span>
        </li>`,
    )}
  </ul>`
}
