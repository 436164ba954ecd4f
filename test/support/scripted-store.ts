/**
 * A store that answers when a test says so, and as it says. It keeps the contract of `OpenedStore` in the
 * simplest way there is: a list of what was applied, and a tidemark.
 */
import assert from 'node:assert/strict'
import type { DeadLetterId, Rejection, Step } from '../../src/contracts/operation.ts'
import type { Epoch, Seq } from '../../src/contracts/position.ts'
import type { Schema } from '../../src/contracts/schema.ts'
import type {
  Batch,
  BatchOutcome,
  OpenedStore,
  QueryResult,
  Snapshot,
  SqlQuery,
  StoreStats,
  StoreTransaction,
  Tidemark,
} from '../../src/contracts/store.ts'
import type { Value } from '../../src/contracts/values.ts'
import { StoreError, type Certainty, type StoreFailure } from '../../src/errors.ts'

/** One table `t` with a key `id` and a column `v`. */
const schema: Schema = {
  version: '1',
  tables: new Map([
    [
      't',
      {
        name: 't',
        columns: new Map(
          ['id', 'v'].map((name) => [name, { name, type: '', wholeNumbers: 'number', isComputed: false }]),
        ),
        primaryKey: ['id'],
        generatedId: undefined,
      },
    ],
  ]),
}

interface Sent {
  readonly prev: Seq
  readonly last: Seq
  /** The first value of each operation. */
  readonly values: readonly Value[]
  readonly answer: PromiseWithResolvers<BatchOutcome>
}

export function failure(kind: StoreFailure, outcome: Certainty = 'not-committed'): StoreError {
  return new StoreError(kind, `scripted ${kind}`, { outcome })
}

export class ScriptedStore implements OpenedStore {
  readonly dialect = 'sqlite'
  readonly database = { id: '0123456789abcdef', secret: '0'.repeat(64) }
  readonly epoch = 1 as Epoch
  readonly schema = schema
  readonly maxInFlight = 3
  readonly isSynchronous = false
  readonly keepsEffects = true
  /** Commits that wait for their answer, oldest first. */
  sent: Sent[] = []
  /** Every range that was ever sent, such as `1-3`. */
  readonly log: string[] = []
  /** What took effect, in this order. */
  readonly applied: Value[] = []
  /** What the database says of this writer. */
  watermark = 0
  isClosed = false
  exists = true
  rejections: Rejection[] = []
  /** What the next calls of `recover` and `begin` fail with. */
  recoverFailures: StoreError[] = []
  beginFailures: StoreError[] = []
  /** How the next transaction's COMMIT ends. */
  commitEnds: 'committed' | 'lost' | 'unanswered' | StoreError = 'committed'
  recoveries = 0
  rollbacks = 0

  commit({ prev, last, steps }: Batch): Promise<BatchOutcome> {
    this.log.push(`${prev + 1}-${last}`)
    const sent = {
      prev,
      last,
      values: steps.flatMap(valuesOf),
      answer: Promise.withResolvers<BatchOutcome>(),
    }
    this.sent.push(sent)
    return sent.answer.promise
  }

  /** Commits the oldest batch that waits, and answers. */
  land(rejections: readonly Rejection[] = []): void {
    const sent = this.#next()
    if (!this.#apply(sent, sent.last)) return sent.answer.reject(failure('chain'))
    this.rejections.push(...rejections)
    sent.answer.resolve({ results: [], rejections, transactions: 1, longestTransactionMs: 1 })
  }

  /** Commits the oldest batch up to `watermark`, and its reply is lost. */
  lose(watermark: number = this.sent[0]?.last ?? 0): void {
    const sent = this.#next()
    assert.ok(this.#apply(sent, watermark))
    sent.answer.reject(failure('transient', 'unknown'))
  }

  /** Commits nothing of the oldest batch. */
  fail(error: unknown): void {
    this.#next().answer.reject(error)
  }

  /** Answers everything that waits, and what is sent then, until nothing waits. */
  async landAll(settle: () => Promise<void>): Promise<void> {
    for (await settle(); this.sent.length > 0; await settle()) this.land()
  }

  async begin(prev: Seq): Promise<StoreTransaction> {
    const refused = this.beginFailures.shift()
    if (refused) throw refused
    if (this.isClosed || prev !== this.watermark) throw failure('chain')
    return {
      query: () => Promise.reject(failure('rejected')),
      commit: () => {
        if (this.commitEnds instanceof StoreError) return Promise.reject(this.commitEnds)
        this.watermark = prev + 1
        if (this.commitEnds === 'lost') return Promise.reject(failure('transient', 'unknown'))
        return this.commitEnds === 'committed' ? Promise.resolve() : new Promise(() => undefined)
      },
      rollback: async () => void this.rollbacks++,
    }
  }

  async recover(): Promise<Tidemark> {
    this.recoveries++
    const refused = this.recoverFailures.shift()
    if (refused) throw refused
    const { watermark, isClosed, exists, rejections } = this
    return { watermark: watermark as Seq, isClosed, exists, rejections }
  }

  reserveIds(): Promise<never> {
    return Promise.reject(failure('rejected'))
  }

  query(_query: SqlQuery): Promise<QueryResult> {
    return Promise.reject(failure('rejected'))
  }

  snapshot(): Promise<Snapshot> {
    return Promise.reject(failure('rejected'))
  }

  async endEpoch(): Promise<boolean> {
    return false
  }

  async sync(): Promise<void> {
    // Nothing is lost here by a power loss.
  }

  async reloadSchema(): Promise<Schema> {
    return schema
  }

  stats(): StoreStats {
    return { walBytes: 0, walPages: 0, checkpoints: 0, reconnects: 0 }
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  #next(): Sent {
    return this.sent.shift() ?? assert.fail('no commit waits for an answer')
  }

  #apply({ prev, values }: Sent, watermark: number): boolean {
    if (this.isClosed || !this.exists || prev !== this.watermark) return false
    this.applied.push(...values.slice(0, watermark - prev))
    this.watermark = watermark
    return true
  }
}

export function rejection(seq: number): Rejection {
  return {
    seq: seq as Seq,
    table: 't',
    code: 'SQLITE_CONSTRAINT_UNIQUE',
    message: 'scripted',
    deadLetter: (100 + seq) as DeadLetterId,
  }
}

function valuesOf(step: Step): Value[] {
  if (step.kind === 'run')
    return Array.from({ length: step.count }, (_, index) => step.values[index * step.shape.width] ?? null)
  const values = step.runs.flatMap(valuesOf)
  return step.kind === 'group' ? [`group of ${values.join(' ')}`] : values
}
