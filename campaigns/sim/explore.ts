/** What one worker does: seed after seed, with a report from time to time and one for every violation. */
import { check } from '../../src/testing/simulation/checker.ts'
import type { FaultKind } from '../../src/testing/simulation/faults.ts'
import { simulate } from '../../src/testing/simulation/simulate.ts'
import { programOf } from '../../src/testing/simulation/workload.ts'

export interface Task {
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

export async function explore({ from, to, stride }: Task, report: (report: Report) => void): Promise<void> {
  let tally = nothing()
  let seeds = 0
  for (let seed = from; seed < to; seed += stride) {
    const history = await simulate(programOf(seed))
    const [violation] = check(history)
    if (violation) tally.violations.push({ seed, law: violation.law, message: violation.message })
    if (history.operations < leastOperations || history.faults.size === 0) tally.small++
    else tally.histories++
    tally.operations += history.operations
    for (const [kind, count] of history.faults) tally.faults.set(kind, (tally.faults.get(kind) ?? 0) + count)
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
