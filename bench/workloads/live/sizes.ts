/** Sizes that a workload and the report about it must agree on. Here, so that a report loads no contender. */

/** Parts of the one job that is changed all the time. */
export const CHANGED_PARTS = 100
/** Changes, each read at once, before the event loop turns. */
export const CHANGES_PER_TURN = 64
/** Parts of each of many jobs that are held. */
export const HELD_PARTS = 2
/** That depend on each other. */
export const STAGES = 8
