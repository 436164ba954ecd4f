/** One kind of effects closely: how it was over time, and what of it was given up. */
import type { VNode } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { EffectKind } from '../api/answers.ts'
import { Chart } from '../overview/chart.ts'
import { windowOf } from '../overview/history.ts'
import { WindowChoice } from '../overview/window-choice.ts'
import { Confirm } from '../ui/confirm.ts'
import { html } from '../ui/html.ts'
import { useStore } from '../ui/store.ts'
import { deadEffects, forgetMended, loadDead, loadMoreDead, mend, type Mending } from './dead-effects.ts'
import { DeadTable } from './dead-table.ts'
import type { EffectHistory } from './kinds.ts'
import { Mended } from './mended.ts'
import { EFFECT_QUESTIONS } from './questions.ts'

interface KindProps {
  readonly of: EffectKind
  readonly history: EffectHistory
  readonly minutes: number
}

export function Kind({ of: { kind, dead }, history, minutes }: KindProps): VNode {
  const shown = useMemo(() => windowOf(history, minutes), [history, minutes])
  return html`<section class="kind" aria-labelledby="kind-title">
    <header class="section-head">
      <h2 id="kind-title">${kind}</h2>
      <${WindowChoice} minutes=${minutes} />
    </header>
    <div class="charts">
      ${EFFECT_QUESTIONS.map(
        (question) =>
          html`<${Chart} key=${question.title} question=${question} shown=${shown} minutes=${minutes} />`,
      )}
    </div>
    <${Dead} key=${kind} kind=${kind} count=${dead} />
  </section>`
}

function Dead({ kind, count }: { kind: string; count: number }): VNode {
  const state = useStore(deadEffects)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [asking, setAsking] = useState<Mending>()
  useEffect(() => void loadDead(kind), [kind, count])
  useEffect(() => forgetMended, [kind])

  const effects = state.kind === kind ? state.effects : []
  const chosen = effects.map(({ id }) => id).filter((id) => selected.has(id))
  const confirm = (): void => {
    if (asking === undefined) return
    setAsking(undefined)
    setSelected(new Set())
    void mend(asking, chosen)
  }
  const button = (how: Mending, words: string): VNode =>
    html`<button
      type="button"
      class=${how === 'redrive' ? 'primary' : ''}
      disabled=${chosen.length === 0 || state.isMending}
      onClick=${() => setAsking(how)}
    >
      ${words}${chosen.length > 0 ? ` ${chosen.length}` : ''}
    </button>`
  return html`<div class="kind-dead">
    <header class="section-head">
      <h3>Dead effects</h3>
      ${
        effects.length > 0 &&
        html`<div class="actions">${button('discard', 'Discard')} ${button('redrive', 'Redrive')}</div>`
      }
    </header>
    <${Mended} outcomes=${state.outcomes} onClose=${forgetMended} />
    ${state.error !== undefined && html`<p class="problem" role="alert">${state.error}</p>`}
    ${
      state.phase === 'ready' &&
      effects.length === 0 &&
      html`<p class="muted">None: every effect of this kind is delivered, or on its way.</p>`
    }
    ${
      effects.length > 0 &&
      html`<${DeadTable} effects=${effects} selected=${selected} onSelect=${setSelected} />`
    }
    ${
      state.next !== null &&
      html`<button type="button" class="quiet" onClick=${() => void loadMoreDead()}>
        More dead effects
      </button>`
    }
    ${
      asking !== undefined &&
      html`<${ConfirmMending}
        how=${asking}
        count=${chosen.length}
        onConfirm=${confirm}
        onClose=${() => setAsking(undefined)}
      />`
    }
  </div>`
}

interface ConfirmProps {
  readonly how: Mending
  readonly count: number
  readonly onConfirm: () => void
  readonly onClose: () => void
}

function ConfirmMending({ how, count, onConfirm, onClose }: ConfirmProps): VNode {
  const what = count === 1 ? 'this dead effect' : `these ${count} dead effects`
  const action = how === 'redrive' ? 'Redrive' : 'Discard'
  return html`<${Confirm} title=${`${action} ${what}?`} action=${action} onConfirm=${onConfirm} onClose=${onClose}>
    ${
      how === 'redrive'
        ? 'Each is delivered again by whoever handles its kind, with all its attempts before it.'
        : 'They are deleted, and never delivered. This cannot be taken back.'
    }
  </${Confirm}>`
}
