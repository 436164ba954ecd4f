/**
 * An SQLite database in memory whose statements fail when a fault is planned, and which tells of every commit. What
 * runs on it is the code that runs on a file.
 *
 * Hot: to prepare statements takes longer than to run them, so they are kept, from one history to the next.
 */
import {
  DatabaseSync,
  type SQLInputValue,
  type StatementResultingChanges,
  type StatementSync,
} from 'node:sqlite'
import type { Faults } from './faults.ts'

export interface DatabaseEvents {
  /** Something may have been committed: look. */
  onCommitted(): void
  /** The process whose statement runs is to die now. */
  onDeath(): void
}

/** Some name an epoch, and are used by one history only. */
const maxPrepared = 300

type Authorizer = Parameters<DatabaseSync['setAuthorizer']>[0]

const errcodes = { busy: 5, ioerr: 10, full: 13 } as const

export class FaultyDatabase extends DatabaseSync {
  #faults: Faults | undefined
  #events: DatabaseEvents | undefined
  #authorize: Authorizer = null
  readonly #prepared = new Map<string, StatementSync>()
  readonly #unfailing = new Map<string, StatementSync>()

  constructor() {
    super(':memory:')
  }

  /** From now on it is somebody's. Without it nothing fails, and nobody is told. */
  use(faults: Faults | undefined, events: DatabaseEvents | undefined): void {
    this.#faults = faults
    this.#events = events
  }

  /** To make a connection read-only for a moment makes SQLite prepare every statement anew; no read here writes. */
  override exec(sql: string): void {
    if (sql === 'BEGIN IMMEDIATE') {
      if (this.#faults?.at('begin')) throw sqliteError('busy')
      super.exec(sql)
    } else if (sql === 'COMMIT') {
      this.#commit()
    } else if (!sql.startsWith('PRAGMA query_only')) super.exec(sql)
  }

  override prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#prepareAuthorized(sql)
    const run: (...parameters: SQLInputValue[]) => StatementResultingChanges = statement.run.bind(statement)
    statement.run = (...parameters: unknown[]) => {
      if (this.isTransaction) this.#meetStatementFault()
      return run(...(parameters as SQLInputValue[]))
    }
    if (this.#prepared.size >= maxPrepared) this.#prepared.clear()
    this.#prepared.set(sql, statement)
    return statement
  }

  /** Only remembered: SQLite prepares every statement anew after each change of the authorizer. */
  override setAuthorizer(authorize: Authorizer): void {
    this.#authorize = authorize
  }

  #prepareAuthorized(sql: string): StatementSync {
    if (this.#authorize === null) return super.prepare(sql)
    super.setAuthorizer(this.#authorize)
    try {
      return super.prepare(sql)
    } finally {
      super.setAuthorizer(null)
    }
  }

  /** A statement of the simulation itself, which meets no fault. */
  prepareUnfailing(sql: string): StatementSync {
    const known = this.#unfailing.get(sql) ?? super.prepare(sql)
    this.#unfailing.set(sql, known)
    return known
  }

  execUnfailing(sql: string): void {
    super.exec(sql)
  }

  #commit(): void {
    const fault = this.#faults?.at('end')
    if (fault === 'busy-at-commit') throw sqliteError('busy')
    if (fault === 'commit-fails') throw sqliteError('ioerr')
    super.exec('COMMIT')
    this.#events?.onCommitted()
    if (fault === 'commit-fails-having-committed') throw sqliteError('ioerr')
  }

  #meetStatementFault(): void {
    const fault = this.#faults?.at('statement')
    if (fault === 'busy-at-statement') throw sqliteError('busy')
    if (fault === 'disk-full') {
      // SQLite undoes the whole transaction where it cannot undo the statement alone.
      super.exec('ROLLBACK')
      throw sqliteError('full')
    }
    if (fault === 'dies-inside-commit') {
      this.#events?.onDeath()
      throw sqliteError('ioerr')
    }
  }
}

/** As `node:sqlite` throws it. */
function sqliteError(kind: keyof typeof errcodes): Error {
  return Object.assign(new Error(`simulated ${kind}`), { code: 'ERR_SQLITE_ERROR', errcode: errcodes[kind] })
}
