/** The top of every view: the name, the ways, and whether what is shown is true just now. */
import type { VNode } from 'preact'
import { connection, stats, type Connection } from '../api/connection.ts'
import { route } from './address.ts'
import { formatCount, formatTime } from './format.ts'
import { html } from './html.ts'
import { Mark } from './mark.ts'
import { formatRoute, NO_FILTER, type View } from './route.ts'
import { useStore } from './store.ts'
import { nextTheme, theme } from './theme.ts'

const NAMES: Readonly<Record<View, string>> = {
  overview: 'Overview',
  logs: 'Logs',
  effects: 'Effects',
  'dead-letters': 'Dead letters',
}

export function Header({ onHelp }: { onHelp: () => void }): VNode {
  return html`<header class="top">
    <a class="brand" href="#/overview"><${Mark} /><span>Tidemark</span></a>
    <${Navigation} />
    <${Status} />
    <${ThemeButton} />
    <button
      type="button"
      class="icon keys-button"
      aria-label="Keys"
      aria-keyshortcuts="?"
      title="Keys (?)"
      onClick=${onHelp}
    >
      ?
    </button>
  </header>`
}

function Navigation(): VNode {
  const { view, minutes } = useStore(route)
  const now = useStore(stats)
  const badges: Readonly<Record<string, number>> = {
    effects: now?.effects?.dead ?? 0,
    'dead-letters': now?.deadLetters ?? 0,
  }
  const isThere: Readonly<Record<string, boolean>> = {
    logs: now?.logs !== null,
    // A server that has never seen an effect has no use for a view of them.
    effects: view === 'effects' || (now?.effects?.kinds ?? 0) > 0,
  }
  const names = Object.entries(NAMES).filter(([name]) => isThere[name] ?? true)
  return html`<nav class="views" aria-label="Views">
    ${names.map(
      ([name, words]) =>
        html`<a
          key=${name}
          href=${formatRoute({ view: name as View, minutes, filter: NO_FILTER, kind: '' })}
          aria-current=${name === view ? 'page' : undefined}
        >
          ${words}
          ${(badges[name] ?? 0) > 0 && html`<span class="badge">${formatCount(badges[name] ?? 0)}</span>`}
        </a>`,
    )}
  </nav>`
}

function Status(): VNode {
  const now = useStore(connection)
  const writer = useStore(stats)?.writer
  return html`<p class="status" data-state=${now.kind}>
    <span class="status-dot" aria-hidden="true"></span>
    <span class="status-words" role="status">${statusWords(now)}</span>
    ${writer !== undefined && html`<span class="writer" title="The writer's name">${writer}</span>`}
  </p>`
}

function statusWords(now: Connection): string {
  switch (now.kind) {
    case 'connecting':
      return 'Connecting'
    case 'live':
      return 'Live'
    case 'stale':
      return `Stale since ${formatTime(now.sinceMs)}`
    case 'unreachable':
      return 'Unreachable'
    case 'unauthorized':
      return 'Token needed'
    case 'forbidden':
      return 'Not allowed'
  }
}

function ThemeButton(): VNode {
  const now = useStore(theme)
  const words = `Theme: ${now}`
  return html`<button
    type="button"
    class="icon theme-button"
    aria-label=${words}
    title=${words}
    onClick=${() => theme.set(nextTheme())}
  >
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" data-theme-icon=${now}>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 3a7 7 0 0 0 0 14z" />
    </svg>
  </button>`
}
