/** One question and the chart that answers it, with a sentence for who does not see it. */
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatTime, splitUnit } from '../ui/format.ts'
import { html } from '../ui/html.ts'
import { useStore } from '../ui/store.ts'
import { paint } from '../ui/theme.ts'
import { createPlot, type Plot } from './plot.ts'
import type { ChartData, Question, Series } from './questions.ts'
import { spokenSummary } from './spoken-summary.ts'

export function Chart({
  question,
  shown,
  minutes,
}: {
  question: Question
  shown: ChartData
  minutes: number
}): VNode {
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot>(undefined)
  const [cursor, setCursor] = useState<number>()
  const painted = useStore(paint)

  useEffect(() => {
    const parent = frame.current
    if (parent === null) return
    const created = createPlot(parent, question, setCursor)
    plot.current = created
    const observer = new ResizeObserver(() => created.resize(parent.clientWidth))
    observer.observe(parent)
    return () => {
      observer.disconnect()
      created.destroy()
    }
  }, [question, painted])
  useEffect(() => plot.current?.draw(shown, minutes), [shown, minutes, painted])

  const time = cursor === undefined ? undefined : shown.t[cursor]
  return html`<figure class="chart">
    <figcaption>
      <h3>${question.title}</h3>
      <p class="readout" aria-hidden="true">
        ${question.series.map((series, index) => readout(series, index, shown, cursor))}
        ${time !== undefined && time !== null && html`<span class="readout-time">${formatTime(time)}</span>`}
      </p>
    </figcaption>
    <div class="plot" ref=${frame} role="img" aria-label=${spokenSummary(question, shown, minutes)}></div>
  </figure>`
}

function readout(series: Series, index: number, shown: ChartData, cursor: number | undefined): VNode {
  const values = shown[series.column] ?? []
  const value = cursor === undefined ? values.at(-1) : values[cursor]
  const [figure, unit] = value === undefined || value === null ? ['–', ''] : splitUnit(series.format(value))
  return html`<span class=${`readout-value series-${index}`}>
    <b>${figure}</b>${unit !== '' && html`<i>${unit}</i>`} <span class="readout-label">${series.label}</span>
  </span>`
}
