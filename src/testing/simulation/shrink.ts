/** Cuts a program down to the steps and faults without which a promise would not be broken. */
import { check } from './checker.ts'
import type { History } from './history.ts'
import type { PlannedFault } from './faults.ts'
import type { Program, Step } from './program.ts'
import { simulate } from './simulate.ts'
import type { Violation } from './violation.ts'

export interface Shrunk {
  readonly program: Program
  readonly violation: Violation
}

/** What is broken in a history: the laws, unless a test has something else in mind. */
type Judge = (history: History) => readonly Violation[]

/** @returns a smaller program that breaks the same law, where there is one */
export async function shrink({ program, violation }: Shrunk, judge: Judge = check): Promise<Shrunk> {
  const smaller = new Shrinking(program, violation, judge)
  await smaller.run()
  return smaller
}

class Shrinking implements Shrunk {
  program: Program
  violation: Violation

  readonly #judge: Judge

  constructor(program: Program, violation: Violation, judge: Judge) {
    this.#judge = judge
    this.program = program
    this.violation = violation
  }

  async run(): Promise<void> {
    for (let before = Infinity; this.#size < before;) {
      before = this.#size
      await this.#without<Step>(this.program.steps, (steps) => ({ ...this.program, steps }))
      await this.#without<PlannedFault>(this.program.faults, (faults) => ({ ...this.program, faults }))
    }
  }

  get #size(): number {
    return this.program.steps.length + this.program.faults.length
  }

  /** Leaves out halves, quarters, … and single ones, as long as it is broken without them. */
  async #without<T>(all: readonly T[], made: (left: readonly T[]) => Program): Promise<void> {
    let left = all
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < left.length;) {
        const fewer = [...left.slice(0, from), ...left.slice(from + size)]
        if (await this.#stillBreaks(made(fewer))) left = fewer
        else from += size
      }
    }
  }

  async #stillBreaks(program: Program): Promise<boolean> {
    const [violation] = this.#judge(await simulate(program))
    if (violation?.law !== this.violation.law) return false
    this.program = program
    this.violation = violation
    return true
  }
}
