/** Sizes that a workload and the report about it must agree on. Here, so that a report loads no contender. */

/** Of items of which some are tried again: the last tenth may have to wait for that. */
export const MOST = 0.9
