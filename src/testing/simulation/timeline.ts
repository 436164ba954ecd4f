/** A history in words, for whoever has to find out what went wrong. */
import type { EffectsEvent } from './effects/history.ts'
import type { Contents, HistoryEvent } from './history.ts'
import type { Violation } from './violation.ts'

interface Told {
  readonly atMs: number
  readonly kind: string
}

/**
 * @param contents tells what the database holds, of an event that shows it
 * @returns a line an event, up to the one at which the violation shows
 */
export function timeline<E extends Told>(
  { events }: { readonly events: readonly E[] },
  { at }: Violation,
  contents: (event: E) => string | undefined,
): string[] {
  return events.slice(0, at + 1).map((event, index) => {
    const { atMs, kind, ...rest } = event
    const what = contents(event) ?? details(rest)
    return `${index === at ? '▶' : ' '} ${atMs.toFixed(2).padStart(9)} ms  ${kind.padEnd(13)} ${what}`
  })
}

export function contentsOf(event: HistoryEvent): string | undefined {
  if (event.kind !== 'committed' && event.kind !== 'went-back') return undefined
  const { tidemarks, cells, results, log, letters } = event.contents
  const parts = [
    marksOf(tidemarks),
    `cells ${cells.map(([key, n]) => `${key}=${n}`).join(' ')}`,
    results.length > 0 && `results ${results.map(([key, of]) => `${key}=${of}`).join(' ')}`,
    log.length > 0 && `new in the log ${log.map(([, write]) => write).join(' ')}`,
    letters.length > 0 &&
      `new letters ${letters.map(([id, , seq, code]) => `${id} at ${seq} ${code}`).join(', ')}`,
  ]
  return parts.filter(Boolean).join('; ')
}

export function effectsContentsOf(event: EffectsEvent): string | undefined {
  if (event.kind !== 'committed' && event.kind !== 'went-back' && event.kind !== 'end') return undefined
  const { tidemarks, lanes, kept, acks, segments } = event.contents
  const parts = [
    marksOf(tidemarks),
    `lanes ${lanes.map(({ lane, owner, token, beat }) => `${lane} of ${owner}:${token}:${beat}`).join(', ')}`,
    `${segments} segments`,
    kept.length > 0 &&
      `kept ${kept.map(({ number, state, attempts }) => `${number} ${state} ${attempts}`).join(', ')}`,
    acks.length > 0 && `new acks ${acks.map(([, effect, kind]) => `${effect} ${kind}`).join(', ')}`,
  ]
  return parts.filter(Boolean).join('; ')
}

function marksOf(tidemarks: Contents['tidemarks']): string {
  return `tidemarks ${tidemarks.map(([epoch, seq, isClosed]) => `${epoch}:${seq}${isClosed ? ' ended' : ''}`).join(', ')}`
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
