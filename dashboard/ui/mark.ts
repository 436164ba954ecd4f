/** The sign of Tidemark: the water, and the line it left. */
import type { VNode } from 'preact'
import { html } from './html.ts'

export function Mark({ size = 28 }: { size?: number }): VNode {
  return html`<svg class="mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true">
    <path class="mark-water" d="M3 14c4.3 0 4.3-5 8.7-5s4.3 5 8.6 5 4.4-5 8.7-5" />
    <path class="mark-line" d="M3 23h26" />
  </svg>`
}
