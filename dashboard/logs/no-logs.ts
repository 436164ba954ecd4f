/** What stands in the place of the logs where the server has none. */
import type { VNode } from 'preact'
import { html } from '../ui/html.ts'
import { Mark } from '../ui/mark.ts'

export function NoLogs(): VNode {
  return html`<section class="empty">
    <${Mark} size=${56} />
    <h2>No logs here</h2>
    <p class="muted">This server has rows of a PostgreSQL database. The log store is one of SQLite.</p>
  </section>`
}
