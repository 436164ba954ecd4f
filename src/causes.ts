/**
 * Why a row has no parent: because that was rejected before it. Every store asks here when it rejects a row that
 * refers to one that is not there.
 *
 * Known as far as it costs little: of the rows with an id of their own that one engine rejected lately, and of the
 * foreign keys that are declared.
 */
import type { DeadLetterId, Run } from './contracts/operation.ts'
import type { Schema } from './contracts/schema.ts'
import type { Value } from './contracts/values.ts'

/** The oldest are forgotten. */
const maxKnown = 10_000

/** The rows that were rejected, by table and id, and where they are kept. */
export class RejectedRows {
  readonly #letters = new Map<string, DeadLetterId>()
  readonly #earlier: RejectedRows | undefined

  /** @param earlier what is committed already: a transaction that is rolled back leaves it as it was */
  constructor(earlier?: RejectedRows) {
    this.#earlier = earlier
  }

  /** These operations were rejected, and are in `letter`. */
  add({ tables }: Schema, runs: readonly Run[], letter: DeadLetterId): void {
    for (const { shape, count, values } of runs) {
      if (shape.kind !== 'insert') continue
      const id = shape.columns.indexOf(tables.get(shape.table)?.generatedId ?? '')
      if (id < 0) continue
      for (let row = 0; row < count; row++)
        this.#set(formOf(shape.table, values[row * shape.width + id]), letter)
    }
  }

  /** The letter of a row that one of these operations refers to, if it is known. */
  causeOf({ tables }: Schema, runs: readonly Run[]): DeadLetterId | undefined {
    for (const { shape, count, values } of runs) {
      const parents = shape.kind === 'statement' ? undefined : tables.get(shape.table)?.parents
      if (parents === undefined || shape.kind === 'statement' || shape.kind === 'delete') continue
      const columns = shape.kind === 'update' ? shape.set : shape.columns
      for (const [index, column] of columns.entries()) {
        const parent = parents.get(column)
        if (parent === undefined) continue
        for (let row = 0; row < count; row++) {
          const letter = this.#find(formOf(parent, values[row * shape.width + index]))
          if (letter !== undefined) return letter
        }
      }
    }
    return undefined
  }

  /** What `newer` knows is committed. */
  keep(newer: RejectedRows): void {
    for (const [form, letter] of newer.#letters) this.#set(form, letter)
  }

  #find(form: string): DeadLetterId | undefined {
    const letter = this.#letters.get(form)
    return letter !== undefined || this.#earlier === undefined ? letter : this.#earlier.#find(form)
  }

  #set(form: string, letter: DeadLetterId): void {
    this.#letters.set(form, letter)
    if (this.#letters.size <= maxKnown) return
    for (const oldest of this.#letters.keys()) return void this.#letters.delete(oldest)
  }
}

/** A number and a bigint of the same value are one id. */
function formOf(table: string, id: Value | undefined): string {
  return `${String(id)} ${table}`
}
