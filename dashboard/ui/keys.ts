/** Keys that work anywhere on the page, except where a person types. */

export interface KeyHelp {
  readonly keys: readonly string[]
  readonly does: string
}

export const KEY_HELP: readonly KeyHelp[] = [
  { keys: ['g', 'o'], does: 'Overview' },
  { keys: ['g', 'l'], does: 'Logs' },
  { keys: ['g', 'e'], does: 'Effects' },
  { keys: ['g', 'd'], does: 'Dead letters' },
  { keys: ['/'], does: 'Search the logs' },
  { keys: ['Space'], does: 'Pause or resume the live logs' },
  { keys: ['j'], does: 'Next entry; ↓ does the same' },
  { keys: ['k'], does: 'Previous entry; ↑ does the same' },
  { keys: ['Enter'], does: 'Open or close an entry' },
  { keys: ['Esc'], does: 'Close, or leave the search' },
  { keys: ['?'], does: 'These keys' },
]

/** How long `g` waits for the letter behind it. */
const SEQUENCE_MS = 1_500

export type KeyActions = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Calls the action named by a key (`/`) or by two (`g o`). Returns how to stop. */
export function listenToKeys(actions: KeyActions): () => void {
  let prefix = ''
  let timer = 0
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (document.querySelector('dialog[open]') !== null) return
    if (isTyping(event.target) && event.key !== 'Escape') return
    const name = prefix === '' ? event.key : `${prefix} ${event.key}`
    clearTimeout(timer)
    prefix = ''
    if (event.key === 'g' && name === 'g') {
      prefix = 'g'
      timer = setTimeout(() => (prefix = ''), SEQUENCE_MS)
      return
    }
    // Space and Enter belong to the control that has the focus.
    if (event.key === ' ' && isControl(event.target)) return
    const action = actions[name]
    if (action === undefined) return
    event.preventDefault()
    action(event)
  }
  // Firefox presses a button when the space bar is let go, whatever became of the press.
  const onKeyUp = (event: KeyboardEvent): void => {
    if (event.key === ' ' && ' ' in actions && !isControl(event.target) && !isTyping(event.target))
      event.preventDefault()
  }
  addEventListener('keydown', onKeyDown)
  addEventListener('keyup', onKeyUp)
  return () => {
    clearTimeout(timer)
    removeEventListener('keydown', onKeyDown)
    removeEventListener('keyup', onKeyUp)
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type=checkbox]), textarea, select')
}

/** An entry of the logs opens by Enter, so that space is free to pause while one walks through them. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('button:not(.entry-head), a, input, summary')
}
