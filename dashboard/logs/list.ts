/** The list itself: newest on top, one of it in the tab order, arrows for the rest. */
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { grouped } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import type { Filter } from '../ui/route.ts'
import { Entry } from './entry.ts'
import { loadOlder, type LogsState } from './live-logs.ts'

interface ListProps {
  readonly state: LogsState
  readonly pattern: RegExp | undefined
  readonly openId: number | undefined
  readonly currentId: number | undefined
  readonly onToggle: (id: number) => void
  readonly onFilter: (change: Partial<Filter>) => void
}

export function LogList({ state, pattern, openId, currentId, onToggle, onFilter }: ListProps): VNode {
  const { phase, rows, next, isLoadingOlder } = state
  const tabStop = rows.some(({ id }) => id === currentId) ? currentId : rows[0]?.id
  return html`<ol class="entries" aria-label="Log entries, newest first">
    ${rows.map((row) =>
      row.kind === 'gap'
        ? html`<li key=${`gap-${row.id}`} class="gap">${grouped(row.count)} more not shown</li>`
        : html`<${Entry}
            key=${row.id}
            entry=${row.entry}
            pattern=${pattern}
            isOpen=${row.id === openId}
            isCurrent=${row.id === tabStop}
            onToggle=${onToggle}
            onFilter=${onFilter}
          />`,
    )}
    <li class="list-end">
      ${next !== undefined && html`<${Older} isLoading=${isLoadingOlder} />`}
      ${phase === 'ready' && next === undefined && html`<span class="muted">The first entry is above.</span>`}
    </li>
  </ol>`
}

/** Loads older entries when it comes into sight; pressed, it does so too. */
function Older({ isLoading }: { isLoading: boolean }): VNode {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (button.current === null || isLoading) return
    const observer = new IntersectionObserver((seen) => {
      if (seen.some(({ isIntersecting }) => isIntersecting)) void loadOlder()
    })
    observer.observe(button.current)
    return () => observer.disconnect()
  }, [isLoading])
  return html`<button ref=${button} type="button" class="quiet" onClick=${() => void loadOlder()}>
    ${isLoading ? 'Loading older entries…' : 'Older entries'}
  </button>`
}
