/** The letters, to be read, opened and chosen. */
import type { VNode } from 'preact'
import type { DeadLetter } from '../api/answers.ts'
import { allToggled, Choice, toggled } from '../ui/choice.ts'
import { Content } from '../ui/content.ts'
import { html } from '../ui/html.ts'
import { Moment } from '../ui/moment.ts'

interface TableProps {
  readonly letters: readonly DeadLetter[]
  readonly selected: ReadonlySet<number>
  readonly onSelect: (selected: ReadonlySet<number>) => void
}

export function LetterTable({ letters, selected, onSelect }: TableProps): VNode {
  const ids = letters.map(({ id }) => id)
  return html`<table class="letters">
    <thead>
      <tr>
        <th scope="col" class="choose">
          <${Choice}
            label="All dead letters"
            isChosen=${ids.every((id) => selected.has(id))}
            onToggle=${() => onSelect(allToggled(selected, ids))}
          />
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
            onToggle=${() => onSelect(toggled(selected, letter.id))}
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
  const { id, table, code, message, attempts, rejectedAt, content } = letter
  const rejectedMs = new Date(rejectedAt).getTime()
  return html`<tr class=${isChosen ? 'is-chosen' : ''}>
    <td class="choose">
      <${Choice} label=${`Dead letter ${id}`} isChosen=${isChosen} onToggle=${onToggle} />
    </td>
    <td class="letter-id">${id}</td>
    <td class="letter-table">${table ?? ''}</td>
    <td class="reason">
      <p class="letter-message">${message}</p>
      <p class="letter-code">${code}</p>
      <${Content} text=${() => JSON.stringify(content, null, 2)} />
    </td>
    <td class="letter-time"><${Moment} ms=${rejectedMs} /></td>
    <td class="number letter-attempts">${attempts}</td>
  </tr>`
}
