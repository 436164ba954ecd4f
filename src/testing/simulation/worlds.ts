/** The simulated worlds: how each makes programs, runs them, and judges what came of them. */
import { check } from './checker.ts'
import { checkEffects } from './effects/check.ts'
import { simulateEffects } from './effects/simulate.ts'
import { effectsProgramOf } from './effects/workload.ts'
import { effectFaultKinds, faultKinds, type FaultKind } from './faults.ts'
import { shrink, type Cuttable } from './shrink.ts'
import { simulate } from './simulate.ts'
import { contentsOf, effectsContentsOf, timeline } from './timeline.ts'
import type { Violation } from './violation.ts'
import { programOf } from './workload.ts'

/** What came of one seed. */
export interface Explored {
  readonly operations: number
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly violation: Violation | undefined
}

/** A history that breaks a law, cut down to what matters. */
export interface Shown {
  readonly violation: Violation
  readonly size: string
  /** Steps, faults, and what happened, line by line. */
  readonly lines: readonly string[]
}

export interface World {
  /** Everything that goes wrong in it, sooner or later. */
  readonly faultKinds: readonly FaultKind[]
  explore(seed: number): Promise<Explored>
  /** @returns undefined when the seed breaks no law */
  show(seed: number): Promise<Shown | undefined>
}

interface Making<P extends Cuttable, E extends { readonly atMs: number; readonly kind: string }, H> {
  readonly faultKinds: readonly FaultKind[]
  readonly programOf: (seed: number) => P
  readonly simulate: (program: P) => Promise<H>
  readonly check: (history: H) => readonly Violation[]
  readonly contentsOf: (event: E) => string | undefined
}

function worldOf<
  P extends Cuttable,
  E extends { readonly atMs: number; readonly kind: string },
  H extends Omit<Explored, 'violation'> & { readonly events: readonly E[] },
>({ faultKinds: kinds, ...making }: Making<P, E, H>): World {
  const judge = async (program: P): Promise<readonly Violation[]> =>
    making.check(await making.simulate(program))
  return {
    faultKinds: kinds,
    async explore(seed) {
      const history = await making.simulate(making.programOf(seed))
      const [violation] = making.check(history)
      return { operations: history.operations, faults: history.faults, violation }
    },
    async show(seed) {
      const whole = making.programOf(seed)
      const [violation] = await judge(whole)
      if (!violation) return undefined
      const { program, violation: left } = await shrink({ program: whole, violation }, judge)
      const told = timeline(await making.simulate(program), left, making.contentsOf)
      return {
        violation: left,
        size: `${whole.steps.length} steps and ${whole.faults.length} faults`,
        lines: [...[...program.steps, ...program.faults].map((one) => `  ${JSON.stringify(one)}`), ...told],
      }
    },
  }
}

export const worlds = {
  writes: worldOf({ faultKinds, programOf, simulate, check, contentsOf }),
  effects: worldOf({
    faultKinds: effectFaultKinds,
    programOf: effectsProgramOf,
    simulate: simulateEffects,
    check: checkEffects,
    contentsOf: effectsContentsOf,
  }),
} as const

export type WorldName = keyof typeof worlds
