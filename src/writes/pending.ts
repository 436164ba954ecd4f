/**
 * What is accepted and not yet settled, by table and key.
 *
 * Owns: for each row that pending operations name, those operations in order; and how far those reach of which it
 * cannot be told which rows they change (*opaque* ones: statements, transactions, a key that is set or not proven).
 * Keeps: law 6 (whoever looks a row up finds every pending operation on it, or a position to wait for), law 7 (it
 * holds what the queue and the batches in flight hold, and lets go when they settle).
 * It breaks when a batch leaves the committer without `settling`, or its keys are read by another schema than they
 * were entered by: then operations stay for ever. So a change of the tables begins anew, and what was accepted
 * before is opaque.
 *
 * Hot: `add` runs once an operation; for an insert without its key it is one comparison and one look at a field.
 * An operation with a key takes about 110 bytes (205 with a key of two columns, whose form is made here) and about 0.3 µs
 * to add, more for long texts where a million keys are pending: `npm run bench -- reads`.
 */
import type { Run, Shape, Step } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { ColumnSchema, Schema, TableSchema } from '../contracts/schema.ts'
import { isInternalTable } from '../sql/bookkeeping.ts'
import type { PendingBatch } from './batch.ts'
import type { Settling } from './follower.ts'
import { rowForm, type RowForm } from './row-key.ts'

/** One pending operation on a row. Its values are in `run`, which only ever grows at its end. */
export class PendingOperation {
  readonly batch: PendingBatch
  readonly run: Run
  /** Which operation of the run. */
  readonly index: number
  readonly seq: Seq
  /** Counts the operations of this row, from wherever. */
  readonly ordinal: number
  next: PendingOperation | undefined = undefined
  /** The last one of its row; kept by the first only. */
  tail: PendingOperation = this

  constructor(batch: PendingBatch, run: Run, index: number, seq: Seq, ordinal: number) {
    this.batch = batch
    this.run = run
    this.index = index
    this.seq = seq
    this.ordinal = ordinal
  }
}

/** What is pending in one table. */
export class PendingTable {
  readonly schema: TableSchema
  readonly keyColumns: readonly ColumnSchema[]
  /** An insert that does not name its key makes a row with a key that somebody could read. */
  readonly makesKeys: boolean
  /** The last opaque operation on this table. */
  opaqueUpTo = 0 as Seq
  readonly #first = new Map<RowForm, PendingOperation>()
  #makesKeysIn: PendingBatch | undefined

  constructor(schema: TableSchema) {
    this.schema = schema
    this.keyColumns = schema.primaryKey.map((name) => schema.columns.get(name) as ColumnSchema)
    this.makesKeys =
      schema.generatedId !== undefined || this.keyColumns.some(({ storage }) => storage?.hasDefault !== false)
  }

  /** The row's oldest pending operation; the others follow it. */
  first(form: RowForm): PendingOperation | undefined {
    return this.#first.get(form)
  }

  /** Operations up to here make rows with keys that nobody knows yet. */
  get makesKeysUpTo(): Seq {
    return this.#makesKeysIn?.state === 'pending' ? this.#makesKeysIn.last : (0 as Seq)
  }

  add(form: RowForm, batch: PendingBatch, run: Run, index: number, seq: Seq): void {
    const first = this.#first.get(form)
    if (first === undefined) {
      this.#first.set(form, new PendingOperation(batch, run, index, seq, 0))
      return
    }
    const last = first.tail
    last.next = first.tail = new PendingOperation(batch, run, index, seq, last.ordinal + 1)
  }

  /** The row's oldest operation is settled, if it stands at `upTo` or before. */
  remove(form: RowForm, upTo: Seq): void {
    const first = this.#first.get(form)
    if (first === undefined || first.seq > upTo) return
    const { next } = first
    if (next === undefined) {
      this.#first.delete(form)
    } else {
      next.tail = first.tail
      this.#first.set(form, next)
    }
  }

  addMaker(batch: PendingBatch): void {
    if (this.makesKeys) this.#makesKeysIn = batch
  }
}

/** What an operation of some shape means for the index. */
type Plan =
  | {
      readonly kind: 'keyed'
      readonly table: PendingTable
      readonly offsets: readonly number[]
      readonly isInsert: boolean
    }
  | { readonly kind: 'maker'; readonly table: PendingTable }
  | { readonly kind: 'opaque'; readonly table: PendingTable | undefined }
  /** On a table of ours, which nobody reads by `get`. */
  | { readonly kind: 'unseen' }

export class PendingIndex {
  #tables = new Map<string, PendingTable>()
  #plans = new WeakMap<Shape, Plan>()
  #opaqueUpTo = 0 as Seq
  /** The run that the last operation is in, and what its operations mean; nothing when each means nothing. */
  #run: Run | undefined
  #plan: Plan | undefined

  constructor(schema: Schema) {
    this.#use(schema)
  }

  table(name: string): PendingTable | undefined {
    return this.#tables.get(name)
  }

  /** How far one must wait to know of every operation on a table. */
  opaqueUpTo(table: PendingTable): Seq {
    return Math.max(this.#opaqueUpTo, table.opaqueUpTo) as Seq
  }

  /** @param last of those accepted by the old schema */
  useSchema(schema: Schema, last: Seq): void {
    this.#use(schema)
    this.#opaqueUpTo = last
  }

  /** The engine has stopped: nothing is pending any more. */
  clear(schema: Schema): void {
    this.#use(schema)
    this.#opaqueUpTo = 0 as Seq
  }

  #use(schema: Schema): void {
    this.#tables = new Map([...schema.tables.values()].map((table) => [table.name, new PendingTable(table)]))
    this.#plans = new WeakMap()
    this.#run = undefined
    this.#plan = undefined
  }

  /** A statement or transaction may change any row. */
  addOpaque(seq: Seq): void {
    this.#opaqueUpTo = seq
  }

  /** The operation at `index` of a run in `batch`. */
  add(batch: PendingBatch, run: Run, index: number, seq: Seq): void {
    if (run !== this.#run) this.#enter(batch, run)
    if (this.#plan !== undefined) this.#enterOne(this.#plan, batch, run, index, seq)
  }

  /** All operations of a group or load, whose first position is `first`. */
  addStep(batch: PendingBatch, step: Exclude<Step, Run>, first: Seq): void {
    let seq: number = first
    for (const run of step.runs) {
      for (let index = 0; index < run.count; index++) {
        this.add(batch, run, index, seq as Seq)
        if (step.kind === 'load') seq++
      }
    }
  }

  /** Called before the batch is settled, wholly or in part, or abandoned. */
  settling(batch: PendingBatch, { watermark, outcome }: Settling): void {
    const upTo = outcome === undefined ? batch.last : watermark
    let seq = batch.prev
    for (const step of batch.steps) {
      if (seq >= upTo) return
      if (step.kind === 'run') {
        this.#leave(step, Math.min(step.count, upTo - seq), upTo)
        seq = (seq + step.count) as Seq
      } else {
        for (const run of step.runs) this.#leave(run, run.count, upTo)
        seq = (seq + (step.kind === 'load' ? step.positions : 1)) as Seq
      }
    }
  }

  #enter(batch: PendingBatch, run: Run): void {
    const plan = this.#planOf(run.shape)
    this.#run = run
    this.#plan = plan.kind === 'maker' || plan.kind === 'unseen' ? undefined : plan
    // Once a run is enough: it stays in its batch, and of that the last position is taken.
    if (plan.kind === 'maker') plan.table.addMaker(batch)
  }

  #enterOne(plan: Plan, batch: PendingBatch, run: Run, index: number, seq: Seq): void {
    if (plan.kind === 'keyed') {
      const { table, offsets } = plan
      const form = rowForm(table.keyColumns, run.values, index * run.shape.width, offsets)
      if (form === undefined) table.opaqueUpTo = seq
      else if (form !== null) table.add(form, batch, run, index, seq)
      else if (plan.isInsert) table.addMaker(batch)
    } else if (plan.kind === 'opaque') {
      if (plan.table) plan.table.opaqueUpTo = seq
      else this.#opaqueUpTo = seq
    }
  }

  #leave(run: Run, count: number, upTo: Seq): void {
    const plan = this.#planOf(run.shape)
    if (plan.kind !== 'keyed') return
    const { table, offsets } = plan
    for (let index = 0; index < count; index++) {
      const form = rowForm(table.keyColumns, run.values, index * run.shape.width, offsets)
      if (form !== undefined && form !== null) table.remove(form, upTo)
    }
  }

  #planOf(shape: Shape): Plan {
    const known = this.#plans.get(shape)
    if (known) return known
    const made = this.#planFor(shape)
    this.#plans.set(shape, made)
    return made
  }

  #planFor(shape: Shape): Plan {
    // A redriven operation may be older than the tables, so its shape is believed in nothing.
    const table = shape.kind === 'statement' ? undefined : this.#tables.get(shape.table)
    if (shape.kind !== 'statement' && isInternalTable(shape.table)) return { kind: 'unseen' }
    if (shape.kind === 'statement' || table === undefined) return { kind: 'opaque', table }
    const { primaryKey } = table.schema
    const isInsert = shape.kind === 'insert' || shape.kind === 'upsert'
    const named = isInsert ? shape.columns : shape.where
    const skipped = shape.kind === 'update' ? shape.set.length : 0
    const offsets = primaryKey.map((name) => named.indexOf(name) + skipped)
    const namesKey = primaryKey.length > 0 && primaryKey.every((name) => named.includes(name))
    const setsKey = shape.kind === 'update' && shape.set.some((name) => primaryKey.includes(name))
    const findsElsewhere =
      shape.kind === 'upsert' && !primaryKey.every((name) => shape.keyColumns.includes(name))
    if (namesKey && !setsKey && !findsElsewhere) return { kind: 'keyed', table, offsets, isInsert }
    return shape.kind === 'insert' ? { kind: 'maker', table } : { kind: 'opaque', table }
  }
}
