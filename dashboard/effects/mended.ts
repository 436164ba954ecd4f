/** What became of the dead effects that were redriven or discarded. */
import type { VNode } from 'preact'
import type { EffectOutcome } from '../api/answers.ts'
import { html } from '../ui/html.ts'

interface MendedProps {
  readonly outcomes: readonly EffectOutcome[]
  readonly onClose: () => void
}

export function Mended({ outcomes, onClose }: MendedProps): VNode {
  const count = (outcome: EffectOutcome['outcome']): number =>
    outcomes.filter((one) => one.outcome === outcome).length
  const parts = [
    [count('redriven'), 'to be tried again.'],
    [count('discarded'), 'discarded.'],
    [count('notDead'), 'not dead any more.'],
  ] as const
  return html`<div class="outcomes" role="status">
    ${
      outcomes.length > 0 &&
      html`<div class=${`outcome ${count('notDead') > 0 ? 'is-mixed' : 'is-good'}`}>
        <p>${parts.map(([some, words]) => some > 0 && html`<b>${some} ${words}</b> `)}</p>
        <button type="button" class="quiet" onClick=${onClose}>Close</button>
      </div>`
    }
  </div>`
}
