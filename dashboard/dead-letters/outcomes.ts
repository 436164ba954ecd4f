/** What became of the letters that were redriven. */
import type { VNode } from 'preact'
import type { RedriveOutcome } from '../api/answers.ts'
import { html } from '../ui/html.ts'

interface OutcomesProps {
  readonly outcomes: readonly RedriveOutcome[]
  readonly onClose: () => void
}

export function Outcomes({ outcomes, onClose }: OutcomesProps): VNode {
  const refused = outcomes.filter(({ outcome }) => outcome === 'rejected')
  const committed = outcomes.length - refused.length
  return html`<div class="outcomes" role="status">
    ${
      outcomes.length > 0 &&
      html`<div class=${`outcome ${refused.length > 0 ? 'is-mixed' : 'is-good'}`}>
        <p>
          ${committed > 0 && html`<b>${committed} committed.</b> `}
          ${refused.length > 0 && html`<b>${refused.length} refused again.</b>`}
        </p>
        ${
          refused.length > 0 &&
          html`<ul>
            ${refused.map(({ id, message }) => html`<li key=${id}>${id}: ${message ?? 'refused'}</li>`)}
          </ul>`
        }
        <button type="button" class="quiet" onClick=${onClose}>Close</button>
      </div>`
    }
  </div>`
}
