/** What is searched for, and whether the list moves. */
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { html } from '../ui/html.ts'
import { LEVELS, NO_FILTER, isFiltered, type Filter, type Level } from '../ui/route.ts'

/** So long after the last letter the search runs by itself; Enter runs it at once. */
const TYPING_MS = 250

interface FilterBarProps {
  readonly filter: Filter
  readonly services: readonly string[]
  readonly isPaused: boolean
  readonly onFilter: (change: Partial<Filter>) => void
  readonly onPause: () => void
}

export function FilterBar({ filter, services, isPaused, onFilter, onPause }: FilterBarProps): VNode {
  return html`<form class="filter-bar" role="search" onSubmit=${(event: Event) => event.preventDefault()}>
    <${Typed}
      id="search"
      type="search"
      label="Search the logs"
      placeholder="Search"
      value=${filter.text}
      onValue=${(text: string) => onFilter({ text })}
    />
    <select
      aria-label="Least level"
      value=${filter.level ?? ''}
      onChange=${({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
        onFilter({ level: LEVELS.find((level) => level === currentTarget.value) })}
    >
      <option value="">Any level</option>
      ${LEVELS.slice(1).map((level) => html`<option value=${level}>${levelChoice(level)}</option>`)}
    </select>
    <${Typed}
      id="service"
      type="text"
      label="Service"
      placeholder="Any service"
      list="services"
      value=${filter.service}
      onValue=${(service: string) => onFilter({ service })}
    />
    <datalist id="services">${services.map((service) => html`<option value=${service} />`)}</datalist>
    <button type="button" class="pause" aria-keyshortcuts="Space" onClick=${onPause}>
      ${isPaused ? 'Resume' : 'Pause'}
    </button>
    <${Chips} filter=${filter} onFilter=${onFilter} />
  </form>`
}

function levelChoice(level: Level): string {
  return level === 'fatal' ? 'fatal only' : `${level} and above`
}

/** The attributes searched for, each with a way out, and one way out of everything. */
function Chips({ filter, onFilter }: Pick<FilterBarProps, 'filter' | 'onFilter'>): VNode | null {
  if (!isFiltered(filter)) return null
  const without = (name: string): Filter['attributes'] =>
    Object.fromEntries(Object.entries(filter.attributes).filter(([other]) => other !== name))
  return html`<div class="chips">
    ${Object.entries(filter.attributes).map(
      ([name, value]) =>
        html`<button
          type="button"
          class="chip"
          key=${name}
          aria-label=${`Remove the filter ${name} = ${value}`}
          onClick=${() => onFilter({ attributes: without(name) })}
        >
          ${name} = ${value} <span aria-hidden="true">×</span>
        </button>`,
    )}
    <button type="button" class="quiet" onClick=${() => onFilter(NO_FILTER)}>Clear the filter</button>
  </div>`
}

interface TypedProps {
  readonly id: string
  readonly type: string
  readonly label: string
  readonly placeholder: string
  readonly list?: string
  readonly value: string
  readonly onValue: (value: string) => void
}

/** An input that tells its value once the typing rests. */
function Typed({ id, type, label, placeholder, list, value, onValue }: TypedProps): VNode {
  const [draft, setDraft] = useState(value)
  const timer = useRef(0)
  useEffect(() => setDraft(value), [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const tell = (text: string, afterMs: number): void => {
    clearTimeout(timer.current)
    setDraft(text)
    timer.current = setTimeout(() => onValue(text), afterMs)
  }
  return html`<input
    id=${id}
    type=${type}
    aria-label=${label}
    placeholder=${placeholder}
    list=${list}
    autocomplete="off"
    spellcheck=${false}
    value=${draft}
    onInput=${({ currentTarget }: { currentTarget: HTMLInputElement }) => tell(currentTarget.value, TYPING_MS)}
    onKeyDown=${({ key, currentTarget }: KeyboardEvent & { currentTarget: HTMLInputElement }) => {
      if (key === 'Enter') tell(currentTarget.value, 0)
      if (key === 'Escape') currentTarget.blur()
    }}
  />`
}
