/** The letters, to be read, opened and chosen. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { DeadLetter } from '../api/answers.ts'
import { CopyButton } from '../ui/copy.ts'
import { formatDay, formatTime } from '../ui/format.ts'
import { html } from '../ui/html.ts'

interface TableProps {
  readonly letters: readonly DeadLetter[]
  readonly selected: ReadonlySet<number>
  readonly onSelect: (selected: ReadonlySet<number>) => void
}

export function LetterTable({ letters, selected, onSelect }: TableProps): VNode {
  const isAll = letters.every(({ id }) => selected.has(id))
  const toggleAll = (): void => onSelect(new Set(isAll ? [] : letters.map(({ id }) => id)))
  const toggle = (id: number): void => {
    const next = new Set(selected)
    if (!next.delete(id)) next.add(id)
    onSelect(next)
  }
  return html`<table class="letters">
    <thead>
      <tr>
        <th scope="col" class="choose">
          <${Choice} label="All dead letters" isChosen=${isAll} onToggle=${toggleAll} />
        </th>
        <th scope="col">Letter</th>
        <th scope="col">Table</th>
        <th scope="col" class="reason">Reason</th>
        <th scope="col">Refused</th>
        <th scope="col" class="number">Attempts</th>
      </tr>
    </thead>
    <tbody>
      ${letters.map(
        (letter) =>
          html`<${LetterRow}
            key=${letter.id}
            letter=${letter}
            isChosen=${selected.has(letter.id)}
            onToggle=${() => toggle(letter.id)}
          />`,
      )}
    </tbody>
  </table>`
}

interface RowProps {
  readonly letter: DeadLetter
  readonly isChosen: boolean
  readonly onToggle: () => void
}

function LetterRow({ letter, isChosen, onToggle }: RowProps): VNode {
  const [isOpen, setOpen] = useState(false)
  const { id, table, code, message, attempts, rejectedAt, content } = letter
  const rejectedMs = new Date(rejectedAt).getTime()
  const text = (): string => JSON.stringify(content, null, 2)
  return html`<tr class=${isChosen ? 'is-chosen' : ''}>
    <td class="choose">
      <${Choice} label=${`Dead letter ${id}`} isChosen=${isChosen} onToggle=${onToggle} />
    </td>
    <td class="letter-id">${id}</td>
    <td class="letter-table">${table ?? ''}</td>
    <td class="reason">
      <p class="letter-message">${message}</p>
      <p class="letter-code">${code}</p>
      <button type="button" class="quiet" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
        ${isOpen ? 'Hide content' : 'Show content'}
      </button>
      ${
        isOpen &&
        html`<div class="letter-content">
          <pre><code>${text()}</code></pre>
          <${CopyButton} label="Copy" text=${text} />
        </div>`
      }
    </td>
    <td class="letter-time">
      <time datetime=${new Date(rejectedMs).toISOString()}>
        ${formatDay(rejectedMs, Date.now())} ${formatTime(rejectedMs)}
      </time>
    </td>
    <td class="number letter-attempts">${attempts}</td>
  </tr>`
}

interface ChoiceProps {
  readonly label: string
  readonly isChosen: boolean
  readonly onToggle: () => void
}

function Choice({ label, isChosen, onToggle }: ChoiceProps): VNode {
  return html`<label class="choice">
    <input type="checkbox" aria-label=${label} checked=${isChosen} onChange=${onToggle} />
  </label>`
}
