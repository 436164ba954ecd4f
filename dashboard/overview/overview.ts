/** The first view: how it is now, and how it was in the last minutes. */
import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import { history, stats } from '../api/connection.ts'
import { route } from '../ui/address.ts'
import { html } from '../ui/html.ts'
import { useStore } from '../ui/store.ts'
import { Alerts } from './alerts.ts'
import { Chart } from './chart.ts'
import { Figures } from './figures.ts'
import { windowOf } from './history.ts'
import { QUESTIONS } from './questions.ts'
import { WindowChoice } from './window-choice.ts'

export function Overview(): VNode {
  const now = useStore(stats)
  const all = useStore(history)
  const { minutes } = useStore(route)
  const shown = useMemo(() => windowOf(all, minutes), [all, minutes])
  if (now === undefined) return html`<${Skeleton} />`
  return html`<div class="overview">
    <h1 class="visually-hidden">Overview</h1>
    <${Alerts} alerts=${now.alerts} />
    <${Figures} stats=${now} shown=${shown} />
    <section aria-labelledby="charts-title">
      <header class="section-head">
        <h2 id="charts-title">The last ${minutes === 1 ? 'minute' : `${minutes} minutes`}</h2>
        <${WindowChoice} minutes=${minutes} />
      </header>
      <div class="charts">
        ${QUESTIONS.map(
          (question) =>
            html`<${Chart} key=${question.title} question=${question} shown=${shown} minutes=${minutes} />`,
        )}
      </div>
    </section>
  </div>`
}

/** Where things will be, until they are known. */
function Skeleton(): VNode {
  return html`<div class="overview" aria-busy="true">
    <p class="visually-hidden">Asking the server how it is.</p>
    <div class="figures">${Array.from({ length: 5 }, () => html`<div class="figure skeleton"></div>`)}</div>
    <div class="charts">${QUESTIONS.map(() => html`<div class="chart skeleton"></div>`)}</div>
  </div>`
}
