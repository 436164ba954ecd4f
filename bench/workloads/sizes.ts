/** Sizes that a workload and the report about it must agree on. Here, so that a report loads no contender. */

export const STATEMENT_SIZES = [10, 20, 25, 40, 50, 100, 200] as const
export const STATEMENT_ROUNDS = 3
export const CALLERS = 16
export const LONE_WARM_UP = 100
export const LONG_RUN_STEP = 1_000_000
