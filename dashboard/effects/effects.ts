/** The view of follow-up work: each kind, how far its target is behind, and what was given up. */
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { stats } from '../api/connection.ts'
import type { EffectKind } from '../api/answers.ts'
import { route } from '../ui/address.ts'
import { html } from '../ui/html.ts'
import { Mark } from '../ui/mark.ts'
import { useStore } from '../ui/store.ts'
import { Kind } from './kind.ts'
import { KindTable } from './kind-table.ts'
import { forgetPauseError, kinds, loadKinds, NO_HISTORY, setPaused } from './kinds.ts'
import { Recover } from './recover.ts'
import { forgetRecovery } from './recovery.ts'

export function Effects(): VNode {
  const state = useStore(kinds)
  const here = useStore(route)
  const now = useStore(stats)
  // As often as the page asks how the server is, and as long as it answers.
  useEffect(() => void loadKinds(), [now])
  useEffect(() => forgetRecovery, [])
  useEffect(() => forgetPauseError, [])
  const shown = state.kinds.find(({ kind }) => kind === here.kind)
  return html`<div class="effects">
    <header class="section-head">
      <div>
        <h1>Effects</h1>
        <p class="muted">
          Follow-up work, committed with the writes it belongs to. Choose a kind to see it closely.
        </p>
      </div>
    </header>
    ${state.error !== undefined && html`<p class="problem" role="alert">${state.error}</p>`}
    ${state.pauseError !== undefined && html`<p class="problem" role="alert">${state.pauseError}</p>`}
    <${Recover} />
    ${state.phase === 'loading' && html`<div class="table-skeleton skeleton" aria-busy="true"></div>`}
    ${state.phase === 'ready' && state.kinds.length === 0 && html`<${NoEffects} />`}
    ${
      state.kinds.length > 0 &&
      html`<${KindTable}
        state=${state}
        route=${here}
        onPause=${({ kind, isPaused }: EffectKind) => void setPaused(kind, !isPaused)}
      />`
    }
    ${
      shown !== undefined &&
      html`<${Kind}
        of=${shown}
        history=${state.histories[shown.kind] ?? NO_HISTORY}
        minutes=${here.minutes}
      />`
    }
  </div>`
}

function NoEffects(): VNode {
  return html`<section class="empty glad">
    <${Mark} size=${56} />
    <h2>No effects.</h2>
    <p class="muted">No write has carried any yet, and nobody handles them.</p>
  </section>`
}
