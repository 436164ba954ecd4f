/** Milliseconds of one clock for all threads; `performance.now()` begins anew in each. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
