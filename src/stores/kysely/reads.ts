/** Queries of the user's own, in a snapshot that can write nothing; and their rows as plain data. */
import type { Mark } from '../../contracts/position.ts'
import type { QueryResult, Snapshot, SqlQuery } from '../../contracts/store.ts'
import { NotSupportedError, StoreError } from '../../errors.ts'
import type { Answer, Statement } from '../../sql/dialect.ts'
import { forgottenUpTo, holds, readTidemarks } from '../../sql/bookkeeping.ts'
import { asRead, toStoreError } from '../../sql/failure.ts'
import { checkRead } from '../../sql/guard.ts'
import type { Session } from './session.ts'

export class Reads {
  readonly #session: Session
  /** The driver rounds integers over 2^53. */
  #rounds = false
  /** Queries, and the same with columns that have names of their own. */
  readonly #apart = new Map<string, string>()

  constructor(session: Session) {
    this.#session = session
  }

  /** Looks how the driver is set up. */
  async prepare(): Promise<void> {
    const [row] = (await this.#session.run('SELECT 9007199254740993 AS probe')).rows
    this.#rounds = typeof row?.['probe'] === 'number'
  }

  /** @throws StoreError */
  async query(query: SqlQuery): Promise<QueryResult> {
    return await this.#readOnly((session) => this.#run(session, query), query.sql)
  }

  /** @throws StoreError */
  async snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    return await this.#readOnly(async (session) => {
      const tidemarks = await readTidemarks(session, required)
      const result = holds(tidemarks, required) ? await this.#run(session, query) : undefined
      return { tidemarks, forgottenUpTo: await forgottenUpTo(session), result }
    }, query.sql)
  }

  /** The rows of any answer, as plain data. */
  resultOf({ rows, changes, insertId }: Answer, asArrays = false): QueryResult {
    const plain = rows.map((row) => this.#plain(row))
    return {
      rows: asArrays ? (plain.map((row) => Object.values(row)) as unknown as typeof plain) : plain,
      changes,
      lastInsertId: insertId === undefined ? undefined : exact(insertId),
    }
  }

  async #readOnly<T>(read: (session: Session) => Promise<T>, sql: string): Promise<T> {
    const { dialect } = this.#session
    checkRead(dialect, sql)
    try {
      return await this.#session.pinned((pinned) => dialect.readOnly(pinned, read))
    } catch (error) {
      throw asRead(toStoreError(dialect, error), dialect.codes.readOnly)
    }
  }

  async #run(session: Session, { sql, parameters, asArrays = false }: SqlQuery): Promise<QueryResult> {
    const query = session.dialect.statement(sql, parameters)
    if (!asArrays) return this.resultOf(await session.run(query.sql, query.parameters))
    const apart = isTable(sql) ? await this.#namedApart(session, query) : query
    const answer = await session.run(apart.sql, apart.parameters)
    // Rows that are objects put names that are numbers first.
    const [row] = answer.rows
    if (row !== undefined && !Array.isArray(row) && Object.keys(row).some((name) => /^\d+$/.test(name)))
      throw new NotSupportedError(
        'through Kysely, columns with numbers for names have no order.',
        'Give each a name with AS.',
      )
    return this.resultOf(answer, true)
  }

  async #namedApart(session: Session, query: Statement): Promise<Statement> {
    const known = this.#apart.get(query.sql)
    if (known !== undefined) return { ...query, sql: known }
    const apart = await session.dialect.namedApart(session, query)
    // A query without rows may not have told its columns.
    if (apart.sql === query.sql) return apart
    if (this.#apart.size >= 1_000) this.#apart.clear()
    this.#apart.set(query.sql, apart.sql)
    return apart
  }

  #plain(row: Record<string, unknown>): Record<string, unknown> {
    const copy = { ...row }
    for (const name in copy) {
      const value = copy[name]
      if (typeof value === 'bigint') copy[name] = exact(value)
      else if (value instanceof Uint8Array && value.constructor !== Uint8Array)
        copy[name] = new Uint8Array(value)
      else if (this.#rounds && typeof value === 'number') this.#requireExact(name, value)
    }
    return copy
  }

  #requireExact(name: string, value: number): void {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return
    throw new StoreError('rejected', `the driver may have rounded column "${name}" to ${value}`, {
      hint: this.#session.dialect.exactHint,
    })
  }
}

function isTable(sql: string): boolean {
  return /^\s*(?:SELECT|WITH|VALUES)\b/i.test(sql)
}

/** A number where that is exact. */
function exact(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}
