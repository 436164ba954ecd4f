/** The keys, behind `?`. */
import type { VNode } from 'preact'
import { Dialog } from './dialog.ts'
import { html } from './html.ts'
import { KEY_HELP } from './keys.ts'

export function KeyHelpDialog({ onClose }: { onClose: () => void }): VNode {
  return html`<${Dialog} title="Keys" onClose=${onClose}>
    <dl class="key-help">
      ${KEY_HELP.map(
        ({ keys, does }) =>
          html`<div key=${does}>
            <dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt>
            <dd>${does}</dd>
          </div>`,
      )}
    </dl>
    <div class="actions"><button type="button" onClick=${onClose}>Close</button></div>
  </${Dialog}>`
}
