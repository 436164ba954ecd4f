/** Asks before anything is written again. */
import type { VNode } from 'preact'
import { Dialog } from '../ui/dialog.ts'
import { html } from '../ui/html.ts'

interface ConfirmProps {
  readonly count: number
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function ConfirmRedrive({ count, onConfirm, onClose }: ConfirmProps): VNode {
  const what = count === 1 ? 'this dead letter' : `these ${count} dead letters`
  return html`<${Dialog} title=${`Redrive ${what}?`} onClose=${onClose}>
    <p>Each is written again, as it is. One that is refused again stays a dead letter.</p>
    <div class="actions">
      <button type="button" onClick=${onClose}>Leave</button>
      <button type="button" class="primary" onClick=${onConfirm}>Redrive</button>
    </div>
  </${Dialog}>`
}
