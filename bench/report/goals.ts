/**
 * The goals beside what was measured. They are printed, never asserted: a benchmark
 * on a noisy machine is no test, and a goal that was missed must be seen and not hidden by an exit code.
 */

import { decimal, times, whole } from './format.ts'
import { table } from './table.ts'

export interface Goal {
  readonly name: string
  readonly unit: '×' | '%' | 'µs' | 'ms' | 'MB' | 'rows/s'
  readonly sense: 'at least' | 'below' | 'at most'
  readonly goal: number
  readonly beyond: number | undefined
  readonly measured: number | undefined
}

export type Verdict = 'met' | 'met, and the goal beyond it' | 'not met' | 'not measured'

export function judge(goal: Goal): Verdict {
  const { measured } = goal
  if (measured === undefined || Number.isNaN(measured)) return 'not measured'
  const reaches = (mark: number): boolean => {
    if (goal.sense === 'at least') return measured >= mark
    return goal.sense === 'below' ? measured < mark : measured <= mark
  }
  if (!reaches(goal.goal)) return 'not met'
  return goal.beyond !== undefined && reaches(goal.beyond) ? 'met, and the goal beyond it' : 'met'
}

export function goalsTable(goals: readonly Goal[]): string {
  const headings = ['', 'goal', 'beyond', 'measured', 'verdict']
  return table(
    headings,
    goals.map((goal) => [
      goal.name,
      `${SIGNS[goal.sense]} ${amount(goal.goal, goal)}`,
      goal.beyond === undefined ? '' : amount(goal.beyond, goal),
      amount(goal.measured, goal),
      judge(goal),
    ]),
  )
}

export function below(
  name: string,
  unit: Goal['unit'],
  goal: number,
  measured: number | undefined,
  beyond?: number,
): Goal {
  return { name, unit, sense: 'below', goal, beyond, measured }
}

export function atMost(
  name: string,
  unit: Goal['unit'],
  goal: number,
  measured: number | undefined,
  beyond?: number,
): Goal {
  return { name, unit, sense: 'at most', goal, beyond, measured }
}

export function atLeast(name: string, goal: number, measured: number | undefined, beyond?: number): Goal {
  return { name, unit: '×', sense: 'at least', goal, beyond, measured }
}

export function reaching(name: string, unit: Goal['unit'], goal: number, measured: number | undefined): Goal {
  return { name, unit, sense: 'at least', goal, beyond: undefined, measured }
}

const SIGNS = { 'at least': '≥', below: '<', 'at most': '≤' } as const

function amount(value: number | undefined, { unit }: Goal): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (unit === '×') return times(value)
  if (unit === 'rows/s') return `${whole(value)} ${unit}`
  return `${decimal(value, 2)} ${unit}`
}
