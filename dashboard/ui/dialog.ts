/** A dialog of the browser's own: it keeps the focus, closes by Esc, and gives the focus back. */
import type { ComponentChildren, VNode } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { html } from './html.ts'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

export function Dialog({ title, onClose, children }: DialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  return html`<dialog
    ref=${dialog}
    aria-labelledby="dialog-title"
    onClose=${onClose}
    onClick=${({ target }: MouseEvent) => {
      if (target === dialog.current) onClose()
    }}
  >
    <div class="dialog-content">
      <h2 id="dialog-title">${title}</h2>
      ${children}
    </div>
  </dialog>`
}
