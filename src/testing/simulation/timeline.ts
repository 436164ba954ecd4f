/** A history in words, for whoever has to find out what went wrong. */
import type { Contents, History, HistoryEvent } from './history.ts'
import type { Violation } from './violation.ts'

/** @returns a line an event, up to the one at which the violation shows */
export function timeline({ events }: History, { at }: Violation): string[] {
  return events.slice(0, at + 1).map((event, index) => `${index === at ? '▶' : ' '} ${tell(event)}`)
}

function tell(event: HistoryEvent): string {
  const { atMs, kind, ...rest } = event
  const what = kind === 'committed' || kind === 'went-back' ? contents(event) : details(rest)
  return `${atMs.toFixed(2).padStart(9)} ms  ${kind.padEnd(13)} ${what}`
}

function contents(event: HistoryEvent & { contents?: Contents }): string {
  const { tidemarks = [], cells = [], results = [], log = [], letters = [] } = event.contents ?? {}
  const parts = [
    `tidemarks ${tidemarks.map(([epoch, seq, isClosed]) => `${epoch}:${seq}${isClosed ? ' ended' : ''}`).join(', ')}`,
    `cells ${cells.map(([key, n]) => `${key}=${n}`).join(' ')}`,
    results.length > 0 && `results ${results.map(([key, of]) => `${key}=${of}`).join(' ')}`,
    log.length > 0 && `new in the log ${log.map(([, write]) => write).join(' ')}`,
    letters.length > 0 &&
      `new letters ${letters.map(([id, , seq, code]) => `${id} at ${seq} ${code}`).join(', ')}`,
  ]
  return parts.filter(Boolean).join('; ')
}

function details(of: object): string {
  return Object.entries(of)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(', ')
}

function short(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const text = JSON.stringify(value).replaceAll('"', '')
  return text.length <= 160 ? text : `${text.slice(0, 155)} …`
}
