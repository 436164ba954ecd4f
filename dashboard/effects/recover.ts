/** What recovering a kind would do, told before it is done; and what it did. */
import type { VNode } from 'preact'
import type { Recovery } from '../api/answers.ts'
import { Dialog } from '../ui/dialog.ts'
import { formatCount } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import { useStore } from '../ui/store.ts'
import { applyRecovery, forgetRecovery, recovery } from './recovery.ts'

export function Recover(): VNode {
  const state = useStore(recovery)
  return html`<div class="outcomes" role="status">
      ${
        state.phase === 'mended' &&
        html`<div class="outcome is-good">
          <p><b>${doneWords(state.recovery)}</b> ${moreWords(state.recovery)}</p>
          <button type="button" class="quiet" onClick=${forgetRecovery}>Close</button>
        </div>`
      }
    </div>
    ${state.phase === 'failed' && html`<p class="problem" role="alert">${state.error}</p>`}
    ${state.phase === 'told' && html`<${Ask} kind=${state.kind} found=${state.recovery} />`}`
}

function Ask({ kind, found }: { kind: string; found: Recovery }): VNode {
  const { missing, underWay, dead, orphans } = found
  const figures = [
    ['Rows without an effect', missing.length],
    ['Rows whose effect is on its way', underWay],
    ['Rows whose effect is dead', dead.length],
    ['Dead effects without a row', orphans.length],
  ] as const
  const action = actionWords(found)
  return html`<${Dialog} title=${`Recover ${kind}?`} onClose=${forgetRecovery}>
    <dl class="recovery">
      ${figures.map(
        ([words, count]) =>
          html`<dt>${words}</dt>
            <dd>${formatCount(count)}</dd>`,
      )}
    </dl>
    <p class="muted">
      ${action === '' ? 'There is nothing to do here.' : 'Rows get the effect that they lack; dead effects without a row are deleted.'}
      ${dead.length > 0 && ' What is dead is redriven in its own list.'} ${moreWords(found)}
    </p>
    <div class="actions">
      <button type="button" onClick=${forgetRecovery}>${action === '' ? 'Close' : 'Leave'}</button>
      ${
        action !== '' &&
        html`<button type="button" class="primary" onClick=${() => void applyRecovery(kind)}>
          ${action}
        </button>`
      }
    </div>
  </${Dialog}>`
}

/** Empty: there is nothing to do. */
function actionWords({ missing, orphans }: Recovery): string {
  const parts = [
    missing.length > 0 ? `enqueue ${formatCount(missing.length)}` : '',
    orphans.length > 0 ? `discard ${formatCount(orphans.length)}` : '',
  ]
  const words = parts.filter((part) => part !== '').join(' and ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function doneWords({ missing, orphans }: Recovery): string {
  return `${formatCount(missing.length)} enqueued, ${formatCount(orphans.length)} discarded.`
}

function moreWords({ isMore }: Recovery): string {
  return isMore ? 'There may be more: recover again.' : ''
}
