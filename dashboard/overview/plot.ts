/** A uPlot chart in the page's colours: one line with water below it, a second one bare and in sand. */
import uPlot from 'uplot'
import { readColours } from '../ui/theme.ts'
import { formatTime } from '../ui/format.ts'
import type { ChartData, Question } from './questions.ts'

const HEIGHT = 186
/** Charts of this name share one crosshair. */
const SYNC = 'tidemark'

export interface Plot {
  draw(shown: ChartData, minutes: number): void
  resize(width: number): void
  destroy(): void
}

/** @param onCursor told the sample below the crosshair, or none when it left */
export function createPlot(
  parent: HTMLElement,
  question: Question,
  onCursor: (index: number | undefined) => void,
): Plot {
  let minutes = 5
  const plot = new uPlot(
    options(question, parent.clientWidth, onCursor, () => minutes),
    [[], ...question.series.map(() => [])],
    parent,
  )
  return {
    draw(shown, shownMinutes) {
      minutes = shownMinutes
      const times = shown.t.map((t) => (t ?? 0) / 1_000)
      plot.setData([times, ...question.series.map(({ column }) => shown[column] ?? [])])
    },
    resize: (width) => plot.setSize({ width, height: HEIGHT }),
    destroy: () => plot.destroy(),
  }
}

function options(
  question: Question,
  width: number,
  onCursor: (index: number | undefined) => void,
  minutes: () => number,
): uPlot.Options {
  const colours = readColours('line', 'muted', 'accent', 'accent-fill', 'sand', 'surface')
  const axis = {
    stroke: colours.muted,
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    ticks: { show: false },
  }
  const grid = { stroke: colours.line, width: 1 }
  const upTo =
    (least: number): uPlot.Scale.Range =>
    (_plot, _min, max) => [0, Math.max(least, (max ?? 0) * 1.12)]
  const valueAxis = (scale: 'left' | 'right'): uPlot.Axis => ({
    ...axis,
    scale,
    side: scale === 'left' ? 3 : 1,
    stroke: scale === 'left' ? colours.muted : colours.sand,
    size: 52,
    space: 34,
    gap: 6,
    grid: scale === 'left' ? grid : { show: false },
    values: (_plot, splits) => {
      const format = question.series.find((one) => one.scale === scale)?.format ?? String
      return splits.map((split) => format(split))
    },
  })
  const hasRight = question.series.some(({ scale }) => scale === 'right')
  return {
    width,
    height: HEIGHT,
    padding: [8, hasRight ? 0 : 12, 0, 0],
    legend: { show: false },
    scales: {
      // A server that is younger than the window fills it with what there is, from a minute on.
      x: {
        time: true,
        range: (_plot, min, max) => [Math.max(max - minutes() * 60, Math.min(min, max - 60)), max],
      },
      left: { range: upTo(question.atLeast) },
      ...(hasRight ? { right: { range: upTo(question.atLeastRight ?? 1) } } : {}),
    },
    series: [
      {},
      ...question.series.map((one, index) => ({
        scale: one.scale,
        stroke: index === 0 ? colours.accent : colours.sand,
        points: { show: false },
        spanGaps: false,
        // Two lines differ in more than colour: only the first has water below it.
        ...(index === 0 ? { width: 1.75, fill: colours['accent-fill'] } : { width: 1.25 }),
      })),
    ],
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 56,
        size: 26,
        values: (_plot, splits) => splits.map((split) => formatTime(split * 1_000).replace(/:00$/, '')),
      },
      valueAxis('left'),
      ...(hasRight ? [valueAxis('right')] : []),
    ],
    cursor: {
      sync: { key: SYNC },
      drag: { x: false, y: false },
      y: false,
      points: { size: 7, width: 2, stroke: colours.surface },
    },
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? undefined)] },
  }
}
