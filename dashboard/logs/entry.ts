/** One line of the logs; opened, all that is known of it. */
import { Component, createRef, type VNode } from 'preact'
import type { LogEntry } from '../api/answers.ts'
import { CopyButton } from '../ui/copy.ts'
import { formatDay, formatExactTime, isSameDay } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import type { Filter } from '../ui/route.ts'
import { AttributeTree } from './attributes.ts'
import { markMatches } from './highlight.ts'

export interface EntryProps {
  readonly entry: LogEntry
  readonly pattern: RegExp | undefined
  readonly isOpen: boolean
  /** Only one entry of the list is reached by the tab key; arrows lead to the others. */
  readonly isCurrent: boolean
  readonly onToggle: (id: number) => void
  readonly onFilter: (change: Partial<Filter>) => void
}

/** Characters of a message that a phone shows in an entry's head. */
const SURE_TO_FIT = 100

/** Drawn again only when something of it changed: a list of a thousand is redrawn five times a second. */
export class Entry extends Component<EntryProps> {
  readonly #item = createRef<HTMLLIElement>()

  override shouldComponentUpdate(next: EntryProps): boolean {
    const { entry, pattern, isOpen, isCurrent } = this.props
    return (
      next.entry !== entry ||
      next.pattern !== pattern ||
      next.isOpen !== isOpen ||
      next.isCurrent !== isCurrent
    )
  }

  /** What was opened at the lower edge comes into sight. */
  override componentDidUpdate(before: EntryProps): void {
    if (!this.props.isOpen || before.isOpen) return
    this.#item.current?.scrollIntoView({ block: 'nearest' })
  }

  override render({ entry, pattern, isOpen, isCurrent, onToggle, onFilter }: EntryProps): VNode {
    const { id, ts, level, service, message } = entry
    return html`<li ref=${this.#item} class=${`entry level-${level}${isOpen ? ' is-open' : ''}`}>
      <button
        type="button"
        class="entry-head"
        data-entry=${id}
        aria-expanded=${isOpen}
        tabindex=${isCurrent ? 0 : -1}
        onClick=${() => onToggle(id)}
      >
        <time datetime=${new Date(ts).toISOString()}>${formatWhen(ts)}</time>${' '}
        <span class="level">${level}</span>${' '}
        <span class="service">${marked(service ?? '', pattern)}</span>${' '}
        <span class="message">${marked(message, pattern)}</span>
      </button>
      ${isOpen && html`<${Details} entry=${entry} onFilter=${onFilter} />`}
    </li>`
  }
}

function marked(text: string, pattern: RegExp | undefined): (VNode | string)[] {
  return markMatches(text, pattern).map((part) =>
    part.isMatch ? html`<mark>${part.text}</mark>` : part.text,
  )
}

function formatWhen(ts: number): string {
  const now = Date.now()
  return isSameDay(ts, now) ? formatExactTime(ts) : `${formatDay(ts, now)} ${formatExactTime(ts)}`
}

/** Whether the head may not show all of it. */
function isCut(message: string): boolean {
  return message.length > SURE_TO_FIT || message.includes('\n')
}

function Details({ entry, onFilter }: Pick<EntryProps, 'entry' | 'onFilter'>): VNode {
  const { id, ts, level, service, message, attributes } = entry
  return html`<div class="entry-body">
    ${isCut(message) && html`<p class="entry-message">${message}</p>`}
    <dl class="facts">
      <div>
        <dt>Time</dt>
        <dd>${new Date(ts).toISOString()}</dd>
      </div>
      <div>
        <dt>Entry</dt>
        <dd>${id}</dd>
      </div>
    </dl>
    ${
      attributes !== null &&
      html`<${AttributeTree}
        attributes=${attributes}
        onFilter=${(name: string, value: string) => onFilter({ attributes: { [name]: value } })}
      />`
    }
    <div class="actions">
      <${CopyButton} label="Copy as JSON" text=${() => JSON.stringify(entry, null, 2)} />
      ${
        service !== null &&
        html`<button type="button" class="quiet" onClick=${() => onFilter({ service })}>
          Only ${service}
        </button>`
      }
      <button type="button" class="quiet" onClick=${() => onFilter({ level })}>${level} and above</button>
    </div>
  </div>`
}
