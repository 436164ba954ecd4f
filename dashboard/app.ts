/** The page: a header, one of four views, and what stands in for it when the server cannot be asked. */
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection, retryNow, stats } from './api/connection.ts'
import { DeadLetters } from './dead-letters/dead-letters.ts'
import { Effects } from './effects/effects.ts'
import { Logs } from './logs/logs.ts'
import { NoLogs } from './logs/no-logs.ts'
import { Overview } from './overview/overview.ts'
import { goTo, route } from './ui/address.ts'
import { Banner } from './ui/banner.ts'
import { Header } from './ui/header.ts'
import { html } from './ui/html.ts'
import { KeyHelpDialog } from './ui/key-help.ts'
import { listenToKeys } from './ui/keys.ts'
import { NO_FILTER, type View } from './ui/route.ts'
import { useStore } from './ui/store.ts'
import { TokenForm } from './ui/token-form.ts'

const VIEWS: Readonly<Record<View, () => VNode>> = {
  overview: Overview,
  logs: Logs,
  effects: Effects,
  'dead-letters': DeadLetters,
}

export function App(): VNode {
  const { view } = useStore(route)
  const now = useStore(connection)
  const hasLogs = useStore(stats)?.logs !== null
  const [isHelpOpen, setHelpOpen] = useState(false)
  useEffect(
    () =>
      listenToKeys({
        'g o': () => goTo({ view: 'overview' }),
        'g l': () => goTo({ view: 'logs' }),
        'g e': () => goTo({ view: 'effects' }),
        'g d': () => goTo({ view: 'dead-letters' }),
        '/': focusSearch,
        '?': () => setHelpOpen(true),
      }),
    [],
  )
  const isOld = now.kind === 'stale' || now.kind === 'unreachable'
  return html`<div class="page">
    <a class="skip" href="#main" onClick=${skipToMain}>Skip to the content</a>
    <${Header} onHelp=${() => setHelpOpen(true)} />
    <${Banner} />
    <main id="main" tabindex="-1" data-view=${view} data-old=${isOld}>
      ${
        now.kind === 'unauthorized'
          ? html`<${TokenForm} hasToken=${now.hasToken} onToken=${retryNow} />`
          : html`<${view === 'logs' && !hasLogs ? NoLogs : VIEWS[view]} />`
      }
    </main>
    ${isHelpOpen && html`<${KeyHelpDialog} onClose=${() => setHelpOpen(false)} />`}
  </div>`
}

/** The address belongs to the view, so the way to the content is not a link. */
function skipToMain(event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#main')?.focus()
}

function focusSearch(): void {
  if (route.get().view !== 'logs') goTo({ view: 'logs', filter: NO_FILTER })
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#search')?.focus())
}
