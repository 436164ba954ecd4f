/** Each kind of effects in a row: what waits, how far its target is behind, and the way to hold it. */
import type { VNode } from 'preact'
import type { EffectKind } from '../api/answers.ts'
import { Sparkline } from '../overview/sparkline.ts'
import { formatCount, formatMs } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import { formatRoute, type Route } from '../ui/route.ts'
import { useStore } from '../ui/store.ts'
import { NO_HISTORY, type KindsState } from './kinds.ts'
import { lookForMissing, recovery } from './recovery.ts'
import { stateOf } from './state-words.ts'

interface TableProps {
  readonly state: KindsState
  readonly route: Route
  readonly onPause: (kind: EffectKind) => void
}

export function KindTable({ state, route, onPause }: TableProps): VNode {
  return html`<table class="kinds">
    <thead>
      <tr>
        <th scope="col">Kind</th>
        <th scope="col">State</th>
        <th scope="col" class="number">Waiting</th>
        <th scope="col" class="number">Oldest</th>
        <th scope="col" class="number">Behind</th>
        <th scope="col"><span class="visually-hidden">Behind over time</span></th>
        <th scope="col" class="number">Running</th>
        <th scope="col" class="number">Dead</th>
        <th scope="col"><span class="visually-hidden">Recover, pause or resume</span></th>
      </tr>
    </thead>
    <tbody>
      ${state.kinds.map((kind) => html`<${KindRow} key=${kind.kind} of=${kind} state=${state} route=${route} onPause=${onPause} />`)}
    </tbody>
  </table>`
}

function KindRow({
  of,
  state,
  route,
  onPause,
}: Pick<TableProps, 'state' | 'route' | 'onPause'> & { readonly of: EffectKind }): VNode {
  const { kind, queued, waiting, dead, oldestMs, lagMs, isPaused, handler } = of
  const { words, tone } = stateOf(of)
  const isShown = route.kind === kind
  const address = formatRoute({ ...route, kind: isShown ? '' : kind })
  return html`<tr class=${isShown ? 'is-chosen' : ''}>
    <th scope="row"><a href=${address} aria-current=${isShown ? 'true' : undefined}>${kind}</a></th>
    <td class="kind-state"><span class=${`state tone-${tone}`}>${words}</span></td>
    <td class="number" data-label="waiting">${formatCount(queued + waiting)}</td>
    <td class="number" data-label="oldest">${formatMs(oldestMs)}</td>
    <td class="number" data-label="behind">${formatMs(lagMs)}</td>
    <td class="kind-trend"><${Sparkline} values=${(state.histories[kind] ?? NO_HISTORY).lagMs} /></td>
    <td class="number" data-label="running">
      ${handler === undefined ? html`<span class="muted" title="Not in this process">–</span>` : `${handler.running} of ${handler.limit}`}
    </td>
    <td class=${`number ${dead > 0 ? 'is-dead' : ''}`} data-label="dead">${formatCount(dead)}</td>
    <td class="kind-action">
      ${of.canRecover && html`<${RecoverButton} kind=${kind} />`}
      <button
        type="button"
        aria-label=${`${isPaused ? 'Resume' : 'Pause'} ${kind}`}
        onClick=${() => onPause(of)}
      >
        ${isPaused ? 'Resume' : 'Pause'}
      </button>
    </td>
  </tr>`
}

function RecoverButton({ kind }: { readonly kind: string }): VNode {
  const state = useStore(recovery)
  const isBusy = state.phase === 'looking' || state.phase === 'mending'
  const busyWords = state.phase === 'looking' ? 'Looking…' : 'Recovering…'
  return html`<button
    type="button"
    aria-label=${`Recover ${kind}`}
    disabled=${isBusy}
    onClick=${() => void lookForMissing(kind)}
  >
    ${isBusy && state.kind === kind ? busyWords : 'Recover'}
  </button>`
}
