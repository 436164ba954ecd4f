/** The third view: what could not be written, why, and the way to try again. */
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { stats } from '../api/connection.ts'
import { html } from '../ui/html.ts'
import { Mark } from '../ui/mark.ts'
import { useStore } from '../ui/store.ts'
import { ConfirmRedrive } from './confirm-redrive.ts'
import { forgetOutcomes, letters, loadLetters, loadMoreLetters, redrive } from './letters.ts'
import { LetterTable } from './letter-table.ts'
import { Outcomes } from './outcomes.ts'

export function DeadLetters(): VNode {
  const state = useStore(letters)
  const count = useStore(stats)?.deadLetters
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set())
  const [isAsking, setAsking] = useState(false)
  useEffect(() => void loadLetters(), [count])
  useEffect(() => forgetOutcomes, [])

  const chosen = state.letters.map(({ id }) => id).filter((id) => selected.has(id))
  const confirm = (): void => {
    setAsking(false)
    setSelected(new Set())
    void redrive(chosen)
  }
  return html`<div class="dead-letters">
    <header class="section-head">
      <div>
        <h1>Dead letters</h1>
        <p class="muted">What the database refused. Nothing is lost: mend the cause, then redrive.</p>
      </div>
      ${
        state.letters.length > 0 &&
        html`<button
          type="button"
          class="primary"
          disabled=${chosen.length === 0 || state.isRedriving}
          onClick=${() => setAsking(true)}
        >
          ${state.isRedriving ? 'Redriving…' : `Redrive${chosen.length > 0 ? ` ${chosen.length}` : ''}`}
        </button>`
      }
    </header>
    <${Outcomes} outcomes=${state.outcomes} onClose=${forgetOutcomes} />
    ${state.error !== undefined && html`<p class="problem" role="alert">${state.error}</p>`}
    ${state.phase === 'loading' && html`<div class="table-skeleton skeleton" aria-busy="true"></div>`}
    ${state.phase === 'ready' && state.letters.length === 0 && html`<${NoLetters} />`}
    ${
      state.letters.length > 0 &&
      html`<${LetterTable} letters=${state.letters} selected=${selected} onSelect=${setSelected} />`
    }
    ${
      state.next !== undefined &&
      html`<button type="button" class="quiet" onClick=${() => void loadMoreLetters()}>
        More dead letters
      </button>`
    }
    ${
      isAsking &&
      html`<${ConfirmRedrive}
        count=${chosen.length}
        onConfirm=${confirm}
        onClose=${() => setAsking(false)}
      />`
    }
  </div>`
}

function NoLetters(): VNode {
  return html`<section class="empty glad">
    <${Mark} size=${56} />
    <h2>No dead letters.</h2>
    <p class="muted">Everything that was accepted has found its place.</p>
  </section>`
}
