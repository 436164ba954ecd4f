/** Cuts a program down to the steps and faults without which a promise would not be broken. */
import type { PlannedFault } from './faults.ts'
import type { Violation } from './violation.ts'

/** A program of whichever world. */
export interface Cuttable {
  readonly steps: readonly object[]
  readonly faults: readonly PlannedFault[]
}

export interface Shrunk<P> {
  readonly program: P
  readonly violation: Violation
}

/**
 * @param judge runs a program and says what is broken in its history
 * @returns a smaller program that breaks the same law, where there is one
 */
export async function shrink<P extends Cuttable>(
  { program, violation }: Shrunk<P>,
  judge: (program: P) => Promise<readonly Violation[]>,
): Promise<Shrunk<P>> {
  const smaller = new Shrinking(program, violation, judge)
  await smaller.run()
  return smaller
}

class Shrinking<P extends Cuttable> implements Shrunk<P> {
  program: P
  violation: Violation

  readonly #judge: (program: P) => Promise<readonly Violation[]>

  constructor(program: P, violation: Violation, judge: (program: P) => Promise<readonly Violation[]>) {
    this.#judge = judge
    this.program = program
    this.violation = violation
  }

  async run(): Promise<void> {
    for (let before = Infinity; this.#size < before;) {
      before = this.#size
      await this.#without(this.program.steps, (steps) => ({ ...this.program, steps }))
      await this.#without(this.program.faults, (faults) => ({ ...this.program, faults }))
    }
  }

  get #size(): number {
    return this.program.steps.length + this.program.faults.length
  }

  /** Leaves out halves, quarters, … and single ones, as long as it is broken without them. */
  async #without<T>(all: readonly T[], made: (left: readonly T[]) => P): Promise<void> {
    let left = all
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < left.length;) {
        const fewer = [...left.slice(0, from), ...left.slice(from + size)]
        if (await this.#stillBreaks(made(fewer))) left = fewer
        else from += size
      }
    }
  }

  async #stillBreaks(program: P): Promise<boolean> {
    const [violation] = await this.#judge(program)
    if (violation?.law !== this.violation.law) return false
    this.program = program
    this.violation = violation
    return true
  }
}
