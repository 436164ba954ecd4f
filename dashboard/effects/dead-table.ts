/** Dead effects, to be read, opened and chosen. */
import type { VNode } from 'preact'
import type { DeadEffect } from '../api/answers.ts'
import { allToggled, Choice, toggled } from '../ui/choice.ts'
import { Content } from '../ui/content.ts'
import { html } from '../ui/html.ts'
import { Moment } from '../ui/moment.ts'

interface TableProps {
  readonly effects: readonly DeadEffect[]
  readonly selected: ReadonlySet<string>
  readonly onSelect: (selected: ReadonlySet<string>) => void
}

export function DeadTable({ effects, selected, onSelect }: TableProps): VNode {
  const ids = effects.map(({ id }) => id)
  return html`<table class="letters">
    <thead>
      <tr>
        <th scope="col" class="choose">
          <${Choice}
            label="All dead effects"
            isChosen=${ids.every((id) => selected.has(id))}
            onToggle=${() => onSelect(allToggled(selected, ids))}
          />
        </th>
        <th scope="col">Key</th>
        <th scope="col" class="reason">Reason</th>
        <th scope="col">Given up</th>
        <th scope="col" class="number">Attempts</th>
      </tr>
    </thead>
    <tbody>
      ${effects.map(
        (effect) =>
          html`<${DeadRow}
            key=${effect.id}
            effect=${effect}
            isChosen=${selected.has(effect.id)}
            onToggle=${() => onSelect(toggled(selected, effect.id))}
          />`,
      )}
    </tbody>
  </table>`
}

interface RowProps {
  readonly effect: DeadEffect
  readonly isChosen: boolean
  readonly onToggle: () => void
}

function DeadRow({ effect, isChosen, onToggle }: RowProps): VNode {
  const { id, key, payload, attempts, error, failedAt } = effect
  return html`<tr class=${isChosen ? 'is-chosen' : ''}>
    <td class="choose">
      <${Choice} label=${`Dead effect ${id}`} isChosen=${isChosen} onToggle=${onToggle} />
    </td>
    <td class="effect-key">${key ?? html`<span class="muted">none</span>`}</td>
    <td class="reason">
      <p class="letter-message">${error}</p>
      <p class="letter-code">${id}</p>
      <${Content} text=${() => JSON.stringify(payload, null, 2)} />
    </td>
    <td class="letter-time"><${Moment} ms=${new Date(failedAt).getTime()} /></td>
    <td class="number letter-attempts">${attempts}</td>
  </tr>`
}
