/** Says in a sentence what is wrong with the connection and what is done about it. Nothing wrong, no banner. */
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection, retryNow } from '../api/connection.ts'
import { formatTime } from './format.ts'
import { html } from './html.ts'
import { useStore } from './store.ts'

export function Banner(): VNode | null {
  const now = useStore(connection)
  if (now.kind === 'stale') {
    return html`<div class="banner" data-state="stale">
      <p>What you see is from ${formatTime(now.sinceMs)}: the server is slow to answer.</p>
    </div>`
  }
  if (now.kind === 'unreachable') {
    return html`<div class="banner" data-state="unreachable">
      <p>
        ${now.reason} What you see is from ${formatTime(now.sinceMs)}. <${Countdown} toMs=${now.retryAtMs} />
      </p>
      <button type="button" onClick=${retryNow}>Try now</button>
    </div>`
  }
  if (now.kind === 'forbidden') {
    return html`<div class="banner" data-state="forbidden">
      <p>This token may not read here. ${now.reason}</p>
    </div>`
  }
  return null
}

function Countdown({ toMs }: { toMs: number }): VNode {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 250)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.ceil((toMs - nowMs) / 1_000)
  return html`<span>${seconds > 0 ? `Asked again in ${seconds}\u00A0s.` : 'Asking again.'}</span>`
}
