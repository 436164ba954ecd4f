/** Asks for the token, once the server has asked for one. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { token } from '../api/request.ts'
import { html } from './html.ts'
import { Mark } from './mark.ts'

export function TokenForm({ hasToken, onToken }: { hasToken: boolean; onToken: () => void }): VNode {
  const [draft, setDraft] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    token.set(draft.trim())
    onToken()
  }
  return html`<form class="empty token-form" onSubmit=${submit}>
    <${Mark} size=${56} />
    <h1>This server asks for a token.</h1>
    <label for="token">Token</label>
    <input
      id="token"
      type="password"
      autocomplete="off"
      spellcheck=${false}
      value=${draft}
      aria-describedby="token-note"
      onInput=${({ currentTarget }: { currentTarget: HTMLInputElement }) => setDraft(currentTarget.value)}
    />
    <p id="token-note" class="muted">
      ${hasToken ? html`<b class="bad">The server does not know that token.</b> ` : ''}It is kept until this
      tab closes, and sent to this server only.
    </p>
    <button type="submit" class="primary" disabled=${draft.trim() === ''}>Go on</button>
  </form>`
}
