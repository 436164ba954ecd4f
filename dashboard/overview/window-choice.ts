/** How many minutes the charts show. */
import type { VNode } from 'preact'
import { refine } from '../ui/address.ts'
import { html } from '../ui/html.ts'
import { WINDOWS } from '../ui/route.ts'

export function WindowChoice({ minutes }: { minutes: number }): VNode {
  return html`<div class="segments" role="group" aria-label="Minutes shown">
    ${WINDOWS.map(
      (choice) =>
        html`<button
          type="button"
          aria-pressed=${choice === minutes}
          onClick=${() => refine({ minutes: choice })}
        >
          ${choice} min
        </button>`,
    )}
  </div>`
}
