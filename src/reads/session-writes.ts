/** The write calls of a session: the engine's, with the session told of every position it is given. */
import type { Load, Run, Shape } from '../contracts/operation.ts'
import type { EncodedEffect } from '../segments.ts'
import type { Inserted } from '../writes/group.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { WriteLane } from '../writes/write-lane.ts'
import type { Operations, Sink } from '../writes/operations.ts'
import type { Receipt } from '../writes/receipt.ts'
import type { TransactionWork } from '../writes/transaction-turn.ts'
import type { SessionState } from './session.ts'

export class SessionWrites implements WriteLane, Sink<Receipt> {
  readonly operations: Operations<Receipt>
  readonly #engine: WriteEngine
  readonly #session: SessionState

  constructor(engine: WriteEngine, session: SessionState) {
    this.#engine = engine
    this.#session = session
    this.operations = engine.operationsFor(this)
  }

  runFor(shape: Shape): Run {
    this.#session.requireCaughtUp()
    return this.#engine.runFor(shape)
  }

  take(run: Run, bytes: number, id?: number, effects?: readonly EncodedEffect[]): Receipt {
    return this.#engine.take(run, bytes, id, effects, this.#session)
  }

  group(collect: (operations: Operations<Inserted>) => unknown): Receipt {
    this.#session.requireCaughtUp()
    return this.#engine.group(collect, this.#session)
  }

  load(
    collect: (operations: Operations<Inserted>) => void,
    letters: Load['letters'],
    checkpoint: Load['checkpoint'],
  ): Receipt {
    this.#session.requireCaughtUp()
    return this.#engine.load(collect, letters, checkpoint, this.#session)
  }

  async transaction(work: TransactionWork, timeoutMs: number): Promise<unknown> {
    this.#session.requireCaughtUp()
    return await this.#engine.transaction(work, timeoutMs, this.#session)
  }
}
