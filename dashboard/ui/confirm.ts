/** Asks before something is done that cannot be taken back. */
import type { ComponentChildren, VNode } from 'preact'
import { Dialog } from './dialog.ts'
import { html } from './html.ts'

interface ConfirmProps {
  readonly title: string
  /** What the button says that does it. */
  readonly action: string
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly children: ComponentChildren
}

export function Confirm({ title, action, onConfirm, onClose, children }: ConfirmProps): VNode {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p>${children}</p>
    <div class="actions">
      <button type="button" onClick=${onClose}>Leave</button>
      <button type="button" class="primary" onClick=${onConfirm}>${action}</button>
    </div>
  </${Dialog}>`
}
