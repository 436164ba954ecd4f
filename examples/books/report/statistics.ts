/** Numbers of many latencies. */

export interface Spread {
  readonly p50: number
  readonly p95: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 }
}

export function ms(value: number): string {
  if (value >= 10_000) return `${(value / 1_000).toFixed(1)} s`
  return value >= 100 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`
}
