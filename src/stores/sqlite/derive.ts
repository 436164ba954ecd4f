/**
 * Rows that follow from other rows, such as a full-text index: written by one statement at the end of a transaction
 * that may have touched the table they follow from, and committed with it.
 *
 * Keeps: law 4 (a statement that fails takes no operation with it: what it did is undone, the rows are committed
 * without, and the engine is told) and law 5 (only that: an error of the database itself fails the batch as ever).
 *
 * How it could break: a statement that only knew the rows of its own transaction would miss those of one in which it
 * failed, and those of other writers. So it is asked to write whatever is missing; see `OpenOptions.derive`.
 */
import { unprefixed } from '../../errors.ts'
import type { DatabaseSync } from 'node:sqlite'
import type { Derivation, DerivationFailure } from '../../contracts/derivation.ts'
import type { Step } from '../../contracts/operation.ts'
import { failureOf } from '../../sqlite-codes.ts'
import { isSqliteError, toStoreError } from './classify.ts'
import { guarded } from './connection.ts'

export class Derivations {
  readonly #database: DatabaseSync
  readonly #all: readonly Derivation[]
  readonly #prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>()

  constructor(database: DatabaseSync, all: readonly Derivation[]) {
    this.#database = database
    this.#all = all
  }

  /** Runs those that the steps may concern. @throws what is no fault of the statement */
  run(steps: readonly Step[]): DerivationFailure[] {
    const failures: DerivationFailure[] = []
    for (const derivation of this.#all) {
      if (!steps.some((step) => mayTouch(step, derivation.table))) continue
      const message = this.#attempt(derivation)
      if (message !== undefined) failures.push({ table: derivation.table, message })
    }
    return failures
  }

  /** @returns why it failed; nothing of it is left then */
  #attempt({ sql }: Derivation): string | undefined {
    this.#database.exec('SAVEPOINT tidemark_derivation')
    let message: string | undefined
    try {
      this.#statement(sql).run()
    } catch (error) {
      if (!isOwnFault(error) || !this.#database.isTransaction) throw error
      message = unprefixed(toStoreError(error).message)
      this.#database.exec('ROLLBACK TO tidemark_derivation')
    }
    this.#database.exec('RELEASE tidemark_derivation')
    return message
  }

  #statement(sql: string) {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = guarded(this.#database, () => this.#database.prepare(sql))
    this.#prepared.set(sql, statement)
    return statement
  }
}

/** A virtual table that is damaged is its own trouble; that of the database itself has other codes. */
const damagedVirtualTable = 267

function isOwnFault(error: unknown): boolean {
  if (!isSqliteError(error)) return false
  return error.errcode === damagedVirtualTable || failureOf(error.errcode) === 'rejected'
}

/** Nobody can say what a statement of the user's own touches. */
function mayTouch(step: Step, table: string): boolean {
  const runs = step.kind === 'run' ? [step] : step.runs
  return runs.some(({ shape }) => shape.kind === 'statement' || shape.table === table)
}
