/** A button that copies a text and says that it did. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { html } from './html.ts'

const SAID_MS = 1_500

export function CopyButton({ text, label }: { text: () => string; label: string }): VNode {
  const [said, setSaid] = useState<string>()
  const copy = async (): Promise<void> => {
    const isCopied = await writeClipboard(text())
    setSaid(isCopied ? 'Copied' : 'Not allowed')
    setTimeout(() => setSaid(undefined), SAID_MS)
  }
  return html`<button type="button" class="quiet" onClick=${() => void copy()}>
    <span aria-live="polite">${said ?? label}</span>
  </button>`
}

/** Browsers give the clipboard to secure pages only; a server at home is often reached by plain HTTP. */
async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.body.appendChild(document.createElement('textarea'))
    area.value = text
    area.select()
    const isCopied = document.execCommand('copy')
    area.remove()
    return isCopied
  }
}
