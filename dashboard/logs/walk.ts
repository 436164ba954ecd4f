/** Walking through the entries by keyboard. */
import type { Row } from './rows.ts'

/** The entry below or above; the first one when none was chosen or it is gone. */
export function neighbourOf(rows: readonly Row[], id: number | undefined, step: 1 | -1): number | undefined {
  const entries = rows.filter(({ kind }) => kind === 'entry')
  const at = entries.findIndex((row) => row.id === id)
  if (at === -1) return entries[0]?.id
  return entries[at + step]?.id
}

/** The entry that has the focus. */
export function focusedEntry(): number | undefined {
  const id = document.activeElement?.getAttribute('data-entry')
  return id === null || id === undefined ? undefined : Number(id)
}

export function focusEntry(id: number): void {
  document.querySelector<HTMLElement>(`[data-entry="${id}"]`)?.focus()
}
