import type { Row } from '../reads/fold.ts'
import type { Scope } from './scope.ts'

/** A scope's rows, from memory or from the database. */
export interface Peeked {
  readonly from: 'memory' | 'database'
  readonly row: Row | undefined
  readonly children: ReadonlyMap<string, readonly Row[]>
  /** Nothing of what it shows is still to be committed. */
  readonly isSaved: boolean
  readonly lagMs: number
}

/** As memory has it. */
export function peekedFrom(scope: Scope): Peeked {
  const children = [...scope.children].map(([name, set]) => [name, [...set.rows.values()]] as const)
  const row = scope.root.rows.get(scope.form)
  return { from: 'memory', row, children: new Map(children), isSaved: scope.isSaved, lagMs: 0 }
}
