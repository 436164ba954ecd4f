/**
 * Whether a soak stayed flat: its last quarter beside its second. The first is left out: caches fill, code is
 * compiled, and the rows reach their number in it.
 */
import { medianOf } from '../../bench/statistics.ts'
import type { Window } from './window.ts'

export interface Bound<W> {
  readonly of: keyof W
  readonly what: string
  readonly unit: string
  /** The last quarter may have so much of the second one's median, and so much more. */
  readonly factor: number
  readonly plus: number
}

/** Wide enough for a machine that does other work beside it, and far below what a leak makes of minutes. */
const bounds: readonly Bound<Window>[] = [
  { of: 'heapMb', what: 'heap after collection', unit: 'MB', factor: 1.05, plus: 1 },
  { of: 'rssMb', what: 'RSS', unit: 'MB', factor: 1.1, plus: 10 },
  { of: 'commitP99Ms', what: 'accepted to committed, p99', unit: 'ms', factor: 1.5, plus: 10 },
  { of: 'loopDelayP99Ms', what: 'event-loop delay, p99', unit: 'ms', factor: 1.5, plus: 10 },
  { of: 'walMb', what: 'write-ahead log', unit: 'MB', factor: 1.5, plus: 4 },
  { of: 'fileMb', what: 'database file', unit: 'MB', factor: 1.1, plus: 4 },
]

/** How fast the heap may grow over the second half, by the straight line through its windows. */
const heapSlope = { factor: 0.05, plusMb: 1 }

export interface Verdict {
  readonly isFlat: boolean
  readonly lines: readonly string[]
}

export function judge(windows: readonly Window[]): Verdict {
  return judgeFlat(windows, bounds)
}

type Figures<W> = { readonly [Figure in keyof W]: number } & { readonly heapMb: number }

/** Whatever is measured, by these bounds, and the heap by its slope as well. */
export function judgeFlat<W extends Figures<W>>(windows: readonly W[], limits: readonly Bound<W>[]): Verdict {
  const quarter = Math.floor(windows.length / 4)
  const second = windows.slice(quarter, 2 * quarter)
  const last = windows.slice(-quarter)
  const verdicts = limits.map(({ of, what, unit, factor, plus }) => {
    const before = medianOf(second.map((window) => window[of]))
    const after = medianOf(last.map((window) => window[of]))
    const limit = before * factor + plus
    const text = `${what}: ${before.toFixed(1)} ${unit} in the second quarter, ${after.toFixed(1)} in the last`
    return said(after <= limit, text, `${limit.toFixed(1)} ${unit}`)
  })
  const half = windows.slice(-2 * quarter).map(({ heapMb }) => heapMb)
  const grown = slopeOf(half) * (half.length - 1)
  const limit = medianOf(second.map(({ heapMb }) => heapMb)) * heapSlope.factor + heapSlope.plusMb
  verdicts.push(
    said(
      grown <= limit,
      `heap over the second half, by its slope: ${grown.toFixed(2)} MB`,
      `${limit.toFixed(1)} MB`,
    ),
  )
  return { isFlat: verdicts.every(({ holds }) => holds), lines: verdicts.map(({ line }) => line) }
}

export function said(holds: boolean, text: string, limit: string): { holds: boolean; line: string } {
  return { holds, line: `${holds ? 'flat    ' : 'NOT FLAT'} ${text} (at most ${limit})` }
}

/** Of the straight line of least squares, a step of one window. */
export function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let over = 0
  let under = 0
  for (const [index, value] of values.entries()) {
    over += (index - middle) * (value - mean)
    under += (index - middle) ** 2
  }
  return over / under
}
