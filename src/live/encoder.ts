/**
 * Turns what a scope is given into values, by the rules of the write calls: what cannot be stored is refused at the call,
 * what is taken is a snapshot.
 */
import type { Run, Shape, UpsertShape } from '../contracts/operation.ts'
import { newRun } from '../writes/batch.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { Operations, Sink } from '../writes/operations.ts'

/** One row as an upsert that goes nowhere. It holds until the next is made. */
export interface EncodedRow {
  readonly run: Run & { readonly shape: UpsertShape }
  readonly bytes: number
}

export class RowEncoder implements Sink<EncodedRow> {
  readonly #operations: Operations<EncodedRow>
  #run: Run | undefined

  constructor(engine: WriteEngine) {
    this.#operations = engine.operationsFor(this)
  }

  /** @throws InvalidOperationError as `db.upsert` */
  encode(table: string, row: Readonly<Record<string, unknown>>): EncodedRow {
    return this.#operations.upsert(table, row)
  }

  runFor(shape: Shape): Run {
    if (this.#run?.shape !== shape) this.#run = newRun(shape)
    this.#run.values.length = 0
    return this.#run
  }

  take(run: Run, bytes: number): EncodedRow {
    // Only upserts are made here.
    return { run: run as EncodedRow['run'], bytes }
  }
}
