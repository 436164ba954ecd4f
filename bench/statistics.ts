/** Medians, ranges and percentiles. Rounds are few and the machine is noisy, so no means. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly samples: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? NaN) : upper
  return { median: (upper + lower) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN }
}

export function medianOf(values: readonly number[]): number {
  return spreadOf(values).median
}

export function percentilesOf(values: ArrayLike<number>): Percentiles {
  const sorted = Float64Array.from(values).toSorted()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: sorted.at(-1) ?? NaN, samples: sorted.length }
}
