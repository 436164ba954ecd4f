/** What a row of a table is about, opened on demand and to be copied. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { CopyButton } from './copy.ts'
import { html } from './html.ts'

export function Content({ text }: { text: () => string }): VNode {
  const [isOpen, setOpen] = useState(false)
  return html`<button type="button" class="quiet" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${isOpen ? 'Hide content' : 'Show content'}
    </button>
    ${
      isOpen &&
      html`<div class="letter-content">
        <pre><code>${text()}</code></pre>
        <${CopyButton} label="Copy" text=${text} />
      </div>`
    }`
}
