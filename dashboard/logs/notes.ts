/** What must be said about the list: what it waits for, what it leaves out, and why it may be empty. */
import type { VNode } from 'preact'
import { stats } from '../api/connection.ts'
import { refine } from '../ui/address.ts'
import { grouped } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import { NO_FILTER, type Filter } from '../ui/route.ts'
import { useStore } from '../ui/store.ts'
import type { LogsState } from './live-logs.ts'

interface NotesProps {
  readonly state: LogsState
  readonly filter: Filter
  readonly isPaused: boolean
  /** Lets the list go on, from the newest. */
  readonly onShow: () => void
}

export function LogNotes({ state, filter, isPaused, onShow }: NotesProps): VNode {
  const unindexed = useStore(stats)?.logs?.unindexed ?? state.unindexed
  const isBehind = filter.text.trim() !== '' && unindexed > 0
  return html`<div class="log-notes">
    <p class="tail-state" data-state=${isPaused ? 'paused' : state.tail}>${tailWords(state, isPaused)}</p>
    <${NewEntries} state=${state} onShow=${onShow} />
    ${
      isBehind &&
      html`<p>The index is catching up: the newest ${grouped(unindexed)} entries are not searched yet.</p>`
    }
    <p class="search-hint">
      Words together, <code>"a phrase"</code>, <code>prefix*</code>, <code>-not</code>, <code>OR</code>
    </p>
  </div>`
}

const TAIL_WORDS: Readonly<Record<LogsState['tail'], string>> = {
  connecting: 'Connecting',
  open: 'Live, newest on top',
  broken: 'Interrupted; it goes on where it stopped',
}

function tailWords({ tail, waiting, hasLeftNewest }: LogsState, isPaused: boolean): string {
  if (isPaused) return 'Paused'
  if (tail === 'open' && (waiting > 0 || hasLeftNewest)) return 'Held while you read'
  return TAIL_WORDS[tail]
}

/** Entries that came while the list was held. */
function NewEntries({ state, onShow }: Pick<NotesProps, 'state' | 'onShow'>): VNode | null {
  const { waiting, hasLeftNewest } = state
  if (waiting === 0 && !hasLeftNewest) return null
  const words =
    waiting === 0 ? 'Back to the newest' : `${grouped(waiting)} new ${waiting === 1 ? 'entry' : 'entries'}`
  return html`<button type="button" class="new-entries" onClick=${onShow}>
    <span aria-hidden="true">↑</span> ${words}
  </button>`
}

export function NothingFound({ filter }: { filter: Filter }): VNode {
  const text = filter.text.trim()
  return html`<section class="empty">
    <h2>${text === '' ? 'No entry passes the filter.' : html`Nothing is found for “${text}”.`}</h2>
    <p class="muted">
      Every word must occur, whole. <code>time*</code> also finds timeout, <code>-word</code> leaves entries
      out, <code>OR</code> between two words asks for either. A new entry that passes appears here by itself.
    </p>
    <button type="button" onClick=${() => refine({ filter: NO_FILTER })}>Clear the filter</button>
  </section>`
}
