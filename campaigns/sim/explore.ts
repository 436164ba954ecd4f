/** What one worker does: seed after seed, with a report from time to time and one for every violation. */
import type { FaultKind } from '../../src/testing/simulation/faults.ts'
import { worlds, type WorldName } from '../../src/testing/simulation/worlds.ts'

export interface Task {
  readonly world: WorldName
  readonly from: number
  readonly to: number
  /** So many seeds lie between two of its own. */
  readonly stride: number
}

/** What came of some seeds. */
export interface Report {
  readonly histories: number
  /** Those with fewer than 50 operations, or without a fault: they are checked too, and not counted. */
  readonly small: number
  readonly operations: number
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly violations: readonly { readonly seed: number; readonly law: number; readonly message: string }[]
}

const leastOperations = 50
const reportEvery = 100

/** Errors are part of what is simulated; their stack traces take longer than the rest. */
Error.stackTraceLimit = 0

export async function explore(
  { world, from, to, stride }: Task,
  report: (report: Report) => void,
): Promise<void> {
  let tally = nothing()
  let seeds = 0
  for (let seed = from; seed < to; seed += stride) {
    const { operations, faults, violation } = await worlds[world].explore(seed)
    if (violation) tally.violations.push({ seed, law: violation.law, message: violation.message })
    if (operations < leastOperations || faults.size === 0) tally.small++
    else tally.histories++
    tally.operations += operations
    for (const [kind, count] of faults) tally.faults.set(kind, (tally.faults.get(kind) ?? 0) + count)
    if (++seeds % reportEvery === 0 || violation) {
      report(tally)
      tally = nothing()
      // Lets the message out.
      await new Promise((resolve) => void setImmediate(resolve))
    }
  }
  report(tally)
}

function nothing() {
  return {
    histories: 0,
    small: 0,
    operations: 0,
    faults: new Map<FaultKind, number>(),
    violations: [] as { seed: number; law: number; message: string }[],
  }
}
