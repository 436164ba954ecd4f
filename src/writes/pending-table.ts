/**
 * What is pending in one table, by row.
 *
 * Keeps: law 6 (of each row exactly its operations that are accepted and not settled, in their order), law 7 (beside those
 * of the queue and the batches in flight it holds, of what is settled, a quarter of that, or a mebibyte and a batch).
 *
 * Hot: `add` runs once an operation whose row is known. What is settled is let go of a generation at a time: to take rows
 * out of one map of all, each by its key, cost as much as to enter them.
 */
import type { Run } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { ColumnSchema, TableSchema } from '../contracts/schema.ts'
import type { PendingBatch } from './batch.ts'
import type { RowForm } from './row-key.ts'

/** One pending operation on a row. Its values are in `run`, which only ever grows at its end. */
export class PendingOperation {
  readonly batch: PendingBatch
  readonly run: Run
  /** Which operation of the run. */
  readonly index: number
  readonly seq: Seq
  /** The next one on its row in its generation. */
  next: PendingOperation | undefined = undefined
  /** The last one of these; kept by the first only. */
  tail: PendingOperation = this

  constructor(batch: PendingBatch, run: Run, index: number, seq: Seq) {
    this.batch = batch
    this.run = run
    this.index = index
    this.seq = seq
  }
}

/**
 * Consecutive operations on one table, by row: the first on each. It is let go of when the last of all is settled, and
 * with it the values of their batches.
 */
interface Generation {
  readonly first: Map<RowForm, PendingOperation>
  readonly most: Extent
  count: number
  /** Of the batches before the last one. */
  bytes: number
  batch: PendingBatch
  last: Seq
  /** That of later ones. */
  next: Generation | undefined
}

interface Extent {
  readonly count: number
  readonly bytes: number
}

/** What a generation has room for at least. */
const least: Extent = { count: 256, bytes: 2 ** 20 }
/** It has room for a fourth of all that are pending, so that there are few: each is asked for a row. */
const shareOfPending = 1 / 4

const nothing: readonly never[] = []

function isFull({ count, bytes, most }: Generation): boolean {
  return count >= most.count || bytes >= most.bytes
}

/** What is pending in one table. */
export class PendingTable {
  readonly schema: TableSchema
  readonly keyColumns: readonly ColumnSchema[]
  /** An insert that does not name its key makes a row with a key that somebody could read. */
  readonly makesKeys: boolean
  /** The last opaque operation on this table. */
  opaqueUpTo = 0 as Seq
  #oldest: Generation | undefined
  #newest: Generation | undefined
  /** In all of them. */
  #count = 0
  #bytes = 0
  #settledUpTo = 0 as Seq
  #makesKeysIn: PendingBatch | undefined

  constructor(schema: TableSchema) {
    this.schema = schema
    this.keyColumns = schema.primaryKey.map((name) => schema.columns.get(name) as ColumnSchema)
    this.makesKeys =
      schema.generatedId !== undefined || this.keyColumns.some(({ storage }) => storage?.hasDefault !== false)
  }

  /** The row's pending operations, oldest first. */
  operationsOn(form: RowForm): readonly PendingOperation[] {
    let found: PendingOperation[] | undefined
    for (let some = this.#oldest; some !== undefined; some = some.next)
      for (let at = some.first.get(form); at !== undefined; at = at.next)
        if (at.seq > this.#settledUpTo) (found ??= []).push(at)
    return found ?? nothing
  }

  /** Operations that it holds, a few of them settled. */
  get held(): number {
    return this.#count
  }

  /** Operations up to here make rows with keys that nobody knows yet. */
  get makesKeysUpTo(): Seq {
    return this.#makesKeysIn?.state === 'pending' ? this.#makesKeysIn.last : (0 as Seq)
  }

  add(form: RowForm, batch: PendingBatch, run: Run, index: number, seq: Seq): void {
    let some = this.#newest
    if (some !== undefined && some.batch !== batch) this.#goOnWith(some, batch)
    if (some === undefined || isFull(some)) some = this.#begin(batch)
    some.last = seq
    some.count++
    this.#count++
    const operation = new PendingOperation(batch, run, index, seq)
    const first = some.first.get(form)
    if (first === undefined) some.first.set(form, operation)
    else first.tail = first.tail.next = operation
  }

  /** The batch before takes nothing more. */
  #goOnWith(some: Generation, batch: PendingBatch): void {
    some.bytes += some.batch.bytes
    this.#bytes += some.batch.bytes
    some.batch = batch
  }

  #begin(batch: PendingBatch): Generation {
    const most = {
      count: Math.max(least.count, this.#count * shareOfPending),
      bytes: Math.max(least.bytes, this.#bytes * shareOfPending),
    }
    const begun = { first: new Map(), most, count: 0, bytes: 0, batch, last: 0 as Seq, next: undefined }
    if (this.#newest === undefined) this.#oldest = begun
    else this.#newest.next = begun
    return (this.#newest = begun)
  }

  settled(upTo: Seq): void {
    this.#settledUpTo = upTo
    while (this.#oldest !== undefined && this.#oldest.last <= upTo) {
      const gone = this.#oldest
      this.#count -= gone.count
      this.#bytes -= gone.bytes
      this.#oldest = gone.next
      // Among the old, it would keep alive all that come after it.
      gone.next = undefined
    }
    if (this.#oldest === undefined) this.#newest = undefined
  }

  addMaker(batch: PendingBatch): void {
    if (this.makesKeys) this.#makesKeysIn = batch
  }
}
