export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** @param times in ms; at least one */
export function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number): number => {
    const index = Math.min(sorted.length - 1, Math.floor(share * sorted.length))
    return Math.round((sorted[index] ?? 0) * 1_000) / 1_000
  }
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}
