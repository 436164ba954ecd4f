/** The attributes of an entry as a tree, each value with a way to search for it. */
import type { VNode } from 'preact'
import type { Json } from '../api/answers.ts'
import { html } from '../ui/html.ts'

type Attributes = Readonly<Record<string, Json>>

interface TreeProps {
  readonly attributes: Attributes
  /** Shows only entries with this value. */
  readonly onFilter: (name: string, value: string) => void
}

export function AttributeTree({ attributes, onFilter }: TreeProps): VNode {
  return html`<ul class="tree">
    ${Object.entries(attributes).map(
      ([name, value]) => html`<${Branch} key=${name} name=${name} value=${value} onFilter=${onFilter} />`,
    )}
  </ul>`
}

interface BranchProps {
  readonly name: string
  readonly value: Json
  readonly onFilter?: TreeProps['onFilter']
}

function Branch({ name, value, onFilter }: BranchProps): VNode {
  if (typeof value === 'object' && value !== null) {
    const children = Object.entries(value as Attributes)
    return html`<li>
      <span class="tree-name">${name}</span>${' '}
      <span class="muted">${sizeOf(value, children.length)}</span>
      <ul class="tree">
        ${children.map(([child, inner]) => html`<${Branch} key=${child} name=${child} value=${inner} />`)}
      </ul>
    </li>`
  }
  const text = String(value)
  return html`<li>
    <span class="tree-name">${name}</span>${' '}
    <span class=${`tree-value is-${value === null ? 'null' : typeof value}`}>${text}</span>${' '}
    ${
      onFilter !== undefined &&
      value !== null &&
      html`<button
        type="button"
        class="quiet"
        aria-label=${`Filter by ${name} = ${text}`}
        onClick=${() => onFilter(name, text)}
      >
        Filter
      </button>`
    }
  </li>`
}

function sizeOf(value: object, count: number): string {
  if (Array.isArray(value)) return count === 1 ? '1 item' : `${count} items`
  return count === 1 ? '1 field' : `${count} fields`
}
