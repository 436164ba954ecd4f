/** The same latencies as a picture: a bar a way of working for each pair of stages, on a scale of powers of ten. */
import { stageAfter, stageNames } from '../stages/stage.ts'
import { ms, spreadOf } from './statistics.ts'
import type { Named } from './text.ts'

const left = 210
const width = 620
const barHeight = 13
const gap = 16
const least = 0.1
const colours = ['#b5533c', '#2f6f8f', '#e0a08f', '#8fbcd4']

export function chart(runs: readonly Named[]): string {
  const pairs = stageNames.flatMap((from) => {
    const to = stageAfter(from)
    const isMeasured = runs.some(({ result }) => result.latencies.some((one) => one.from === from))
    return to === undefined || !isMeasured ? [] : [{ from, to }]
  })
  const values = runs.flatMap(({ result }) => result.latencies.map((one) => one.ms))
  const decades = Math.ceil(Math.log10(Math.max(1, ...values) / least))
  const x = (value: number): number => left + (Math.log10(Math.max(value, least) / least) / decades) * width
  const groupHeight = runs.length * barHeight + gap
  const top = 50 + runs.length * 16
  const height = top + pairs.length * groupHeight + 30

  const legend = runs.map(({ name }, at) => {
    const y = 40 + at * 16
    return `<rect x="${left}" y="${y - 9}" width="10" height="10" fill="${colourOf(at)}"/>${text(left + 16, y, name)}`
  })
  const grid = Array.from({ length: decades + 1 }, (_, power) => {
    const value = least * 10 ** power
    const line = `<line x1="${x(value)}" x2="${x(value)}" y1="${top - 6}" y2="${height - 26}" stroke="#8886"/>`
    return line + text(x(value), height - 12, ms(value), 'middle')
  })
  const groups = pairs.map(({ from, to }, group) => {
    const y = top + group * groupHeight
    const bars = runs.map(({ result }, at) => {
      const spread = spreadOf(result.latencies.filter((one) => one.from === from).map((one) => one.ms))
      const middle = y + at * barHeight
      return `<rect x="${left}" y="${middle}" width="${(x(spread.p50) - left).toFixed(1)}" height="${barHeight - 3}" fill="${colourOf(at)}"/>
<line x1="${x(spread.p50).toFixed(1)}" x2="${x(spread.max).toFixed(1)}" y1="${middle + 5}" y2="${middle + 5}" stroke="${colourOf(at)}"/>
${text(x(spread.max) + 6, middle + 9, ms(spread.p50))}`
    })
    return text(left - 10, y + (groupHeight - gap) / 2 + 4, `${from} → ${to}`, 'end') + bars.join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 90} ${height}" font-family="sans-serif" font-size="12" fill="#888">
<title>From the end of a stage's work to the start of the next one's: median, and a line to the longest</title>
${text(left, 18, 'From the end of a stage to the start of the next: median, and a line to the longest')}
${[...legend, ...grid, ...groups].join('\n')}
</svg>
`
}

function colourOf(at: number): string {
  return colours[at % colours.length] ?? '#888'
}

function text(x: number, y: number, content: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${content}</text>`
}
