/**
 * Numbers that are given once: ids of rows that come without one, of dead letters and of segments. Each table has a
 * counter, which never falls behind the highest record there is, so that ids given by others are passed over.
 */
import type { Run, Step } from '../../contracts/operation.ts'
import { retried } from './bookkeeping.ts'
import { meaningOf } from './classify.ts'
import { Script } from './script.ts'
import type { Session } from './session.ts'
import type { Tables } from './schema.ts'
import { name } from './tables.ts'

export class Counters {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Takes so many, which follow each other. @param before what must hold for that. @returns the first */
  async take(table: string, count: number, before?: (script: Script) => void): Promise<number> {
    const script = new Script()
    before?.(script)
    const counter = `type::record("tidemark_ids", ${script.value(table)})`
    script.add(`LET $top = (SELECT VALUE id FROM ${name(table)} ORDER BY id DESC LIMIT 1)[0]`)
    script.add(
      'LET $highest = IF $top = NONE { 0 } ELSE IF type::is_int(record::id($top)) { record::id($top) } ELSE { 0 }',
    )
    // Read apart: an UPSERT looks at the record as if it were new (seen with SurrealDB 3.0.2).
    script.add(`LET $given = ${counter}.given ?? 0`)
    const told = script.add(
      `UPSERT ${counter} SET given = math::max([$given, $highest]) + ${script.value(count)} RETURN VALUE given`,
    )
    const [last] = (await retried(() => this.#session.together(script)))[told] as readonly number[]
    return Number(last) - count + 1
  }

  /** Ids for the rows of these steps that come without one: the first of each run. Taken once a table. */
  async forRows(steps: readonly Step[], tables: Tables): Promise<ReadonlyMap<Run, number>> {
    const first = new Map<Run, number>()
    const runs = steps.flatMap((step): readonly Run[] => (step.kind === 'run' ? [step] : step.runs))
    for (const [table, some] of Map.groupBy(runs, (run) => numberedBy(run, tables))) {
      if (table === undefined) continue
      let next = await this.#takeFor(table, some)
      if (next === undefined) continue
      for (const run of some) {
        first.set(run, next)
        next += run.count
      }
    }
    return first
  }

  async #takeFor(table: string, runs: readonly Run[]): Promise<number | undefined> {
    try {
      return await this.take(
        table,
        runs.reduce((sum, { count }) => sum + count, 0),
      )
    } catch (error) {
      // Its table is gone: each row is told so.
      if (meaningOf(error).failure === 'rejected') return undefined
      throw error
    }
  }
}

/** The table whose numbers the rows of a run are to get. */
function numberedBy({ shape }: Run, tables: Tables): string | undefined {
  if (shape.kind !== 'insert') return undefined
  const id = tables.generatedIdOf(shape.table)
  return id === undefined || shape.columns.includes(id) ? undefined : shape.table
}
