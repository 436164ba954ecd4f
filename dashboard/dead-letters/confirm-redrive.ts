/** Asks before anything is written again. */
import type { VNode } from 'preact'
import { Confirm } from '../ui/confirm.ts'
import { html } from '../ui/html.ts'

interface ConfirmProps {
  readonly count: number
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function ConfirmRedrive({ count, onConfirm, onClose }: ConfirmProps): VNode {
  const what = count === 1 ? 'this dead letter' : `these ${count} dead letters`
  return html`<${Confirm} title=${`Redrive ${what}?`} action="Redrive" onConfirm=${onConfirm} onClose=${onClose}>
    Each is written again, as it is. One that is refused again stays a dead letter.
  </${Confirm}>`
}
