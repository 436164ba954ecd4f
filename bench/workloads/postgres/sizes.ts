/** Sizes that a workload and the report about it must agree on. Here, so that a report loads no contender. */
export const WRITE_RATE = 1_000
export const READ_EVERY = 10
export const MANY_CALLERS = [16, 256] as const
