/**
 * What is accepted and not yet settled, by table and key.
 *
 * Owns: for each row that pending operations name, those operations in order; and how far those reach of which it
 * cannot be told which rows they change (*opaque* ones: statements, transactions, a key that is set or not proven).
 * Keeps: law 6 (whoever looks a row up finds every pending operation on it, or a position to wait for), law 7 (it
 * lets go of what settles: `pending-table.ts`).
 * It breaks when a batch leaves the committer without `settling`: then its operations stay for ever; or when keys are
 * looked up by another schema than they were entered by: so a change of the tables begins anew, and what was accepted
 * before is opaque.
 *
 * Hot: `add` runs once an operation; for an insert without its key it is one comparison and one look at a field.
 * An operation with a key takes about 115 bytes (some 90 more with a key of two columns, whose form is made here) and about 0.3 µs
 * to add, more for long texts where a million keys are pending: `npm run bench -- reads`.
 */
import type { Run, Shape, Step } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { Schema } from '../contracts/schema.ts'
import { isInternalTable } from '../sql/bookkeeping.ts'
import type { PendingBatch } from './batch.ts'
import type { Settling } from './follower.ts'
import { PendingTable } from './pending-table.ts'
import { rowForm } from './row-key.ts'

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
    for (const table of this.#tables.values()) table.settled(upTo)
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
