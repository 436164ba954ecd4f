/** A line without axes: the shape of the last minutes, at a glance. Decoration: the figure beside it says it. */
import type { VNode } from 'preact'
import { html } from '../ui/html.ts'

const WIDTH = 120
const HEIGHT = 32
const POINTS = 60

export function Sparkline({ values }: { values: readonly (number | null)[] }): VNode {
  const points = thin(values.map((value) => value ?? 0))
  const most = Math.max(...points)
  // What stays as it is runs through the middle; a small wave is not blown up to a storm.
  const isFlat = most === Math.min(...points)
  const least = isFlat ? most - 1 : Math.min(...points, most * 0.9)
  const range = isFlat ? 2 : most - least
  const line = points
    .map((value, index) => {
      const x = (index / Math.max(1, points.length - 1)) * WIDTH
      const y = HEIGHT - 3 - ((value - least) / range) * (HEIGHT - 6)
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
  return html`<svg
    class="sparkline"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    ${points.length > 1 && html`<polyline points=${line} />`}
  </svg>`
}

/** As many points as can be told apart, each the largest of its share: a short peak is what matters. */
function thin(values: readonly number[]): number[] {
  if (values.length <= POINTS) return [...values]
  const share = values.length / POINTS
  return Array.from({ length: POINTS }, (_, index) =>
    Math.max(...values.slice(Math.floor(index * share), Math.max(1, Math.floor((index + 1) * share)))),
  )
}
