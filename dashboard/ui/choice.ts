/** A box to choose a row of a table by, and the sets of what is chosen. */
import type { VNode } from 'preact'
import { html } from './html.ts'

interface ChoiceProps {
  readonly label: string
  readonly isChosen: boolean
  readonly onToggle: () => void
}

export function Choice({ label, isChosen, onToggle }: ChoiceProps): VNode {
  return html`<label class="choice">
    <input type="checkbox" aria-label=${label} checked=${isChosen} onChange=${onToggle} />
  </label>`
}

export function toggled<T>(selected: ReadonlySet<T>, id: T): ReadonlySet<T> {
  const next = new Set(selected)
  if (!next.delete(id)) next.add(id)
  return next
}

/** All of them, or none when all were. */
export function allToggled<T>(selected: ReadonlySet<T>, ids: readonly T[]): ReadonlySet<T> {
  return new Set(ids.every((id) => selected.has(id)) ? [] : ids)
}
