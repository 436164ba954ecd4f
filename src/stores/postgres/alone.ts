/**
 * A batch of one plain operation in one statement, with the fence beside it, and so in one trip: the server begins and
 * commits a transaction around it by itself.
 *
 * Keeps: law 2 and 3 (a statement is carried out as a whole: a fence that refuses undoes the row, whichever of the two
 * the server came to first; and `pg` tells of an answer when the server says that it is ready again, which is behind
 * the commit), law 5 (either may have refused it, so an error says nothing of the operation: `executor.ts` does the
 * batch again behind the fence, and judges there).
 *
 * The statement sees what was committed before it waited for the fence. What this writer wrote is among that: under one
 * hold the tidemark moves on one connection, which does one thing after another.
 *
 * Hot: runs once for each write that is awaited alone; `npm run bench -- postgres --sections callers`.
 */
import type { Shape, Step } from '../../contracts/operation.ts'
import type { WireAnswer, WireStatement } from './connection.ts'
import type { DatabaseSchema } from './schema.ts'

/** Of the only operation of a batch, where it does beside the fence what it does behind it. */
export function shapeAlone({ traits }: DatabaseSchema, steps: readonly Step[]): Shape | undefined {
  const [step] = steps
  if (steps.length !== 1 || step?.kind !== 'run' || step.count !== 1) return undefined
  const { shape } = step
  // A guard is a statement around the operation already.
  if (shape.kind === 'statement' || ('expect' in shape && shape.expect !== undefined)) return undefined
  const table = traits.get(shape.table)
  return table?.isPlain && !table.isDeferred ? shape : undefined
}

/**
 * Between a statement and the end of its message no timer of the server's runs. So it is small enough for the system to
 * take it whole: a process that is stopped then does not hold its writer's row.
 */
const maxCharacters = 8_192

export function fitsOnePacket(parameters: NonNullable<WireStatement['parameters']>): boolean {
  return parameters.reduce((sum, parameter) => sum + (parameter?.length ?? 0), 0) <= maxCharacters
}

/** As the operation would have been answered behind the fence. */
export function operationAnswer({ rows, command }: WireAnswer): WireAnswer {
  const [row] = rows
  return { rows: [{ 0: row?.[2] }], count: Number(row?.[1]), command }
}
