/**
 * SQL of somebody who is not trusted, on a connection that can do nothing but read.
 *
 * Nothing is decided by looking at the text. The file is opened for reading only; SQLite itself asks, for every
 * thing that a statement would do while it is prepared, and is told yes for reading alone. Whether it takes too long
 * is not this module's business: whoever started the process ends it.
 */
import { DatabaseSync, constants } from 'node:sqlite'
import type { SqlAnswer, SqlQuestion } from '../../contracts/sql-runner.ts'
import { StoreError } from '../../errors.ts'
import { jsonOf } from '../../row-json.ts'
import { checkParameters, checkSingle, countParameters } from './check.ts'
import type { QueryLimits } from './query-messages.ts'

/** How long a lock is waited for, in ms; readers of a write-ahead log meet one only while it is repaired. */
const busyTimeoutMs = 1_000

/** Far below what SQLite allows: no query of a person needs more, and some are written to be endless to prepare. */
const sqlLimits = {
  length: 16 * 2 ** 20,
  sqlLength: 200_000,
  column: 500,
  exprDepth: 200,
  compoundSelect: 50,
  functionArg: 50,
  attach: 0,
  likePatternLength: 1_000,
  variableNumber: 1_000,
  triggerDepth: 1,
}

export class ClientQueries {
  readonly #path: string
  readonly #limits: QueryLimits
  #database: DatabaseSync | undefined

  constructor(path: string, limits: QueryLimits) {
    this.#path = path
    this.#limits = limits
  }

  /** @throws what SQLite throws, and StoreError */
  run({ sql, parameters, maxRows }: SqlQuestion): SqlAnswer {
    const database = (this.#database ??= open(this.#path))
    const statement = database.prepare(sql)
    checkSingle(sql, statement.sourceSQL)
    checkParameters(countParameters(sql), parameters.length)
    const columns = statement.columns().map(({ name }) => name)
    if (columns.length === 0)
      throw new StoreError('rejected', 'it gives no rows', { storeCode: 'SQLITE_AUTH' })
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const { maxBytes } = this.#limits
    const rows: string[] = []
    let bytes = 0
    let isTruncated = false
    // Their type knows of objects only.
    for (const row of statement.iterate(...parameters) as Iterable<unknown> as Iterable<unknown[]>) {
      const text = rows.length < maxRows ? JSON.stringify(row.map(jsonOf)) : undefined
      bytes += text === undefined ? 0 : Buffer.byteLength(text) + 1
      if (text === undefined || bytes > maxBytes) {
        isTruncated = true
        break
      }
      rows.push(text)
    }
    return { columns, rows: `[${rows.join(',')}]`, rowCount: rows.length, isTruncated }
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, {
    readOnly: true,
    timeout: busyTimeoutMs,
    allowExtension: false,
    enableDoubleQuotedStringLiterals: false,
  })
  try {
    // A file that is no database is found out here, and not by a client.
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    database.exec('PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    database.enableDefensive(true)
    Object.assign(database.limits, sqlLimits)
    database.setAuthorizer(authorize)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** It holds the secret that bookmarks are signed with. */
const secretTable = 'tidemark_database'
/** Would run code of a file. The connection refuses it too. */
const refusedFunctions = new Set(['load_extension'])

/** Everything that is not named here is refused, whatever later versions of SQLite invent. */
function authorize(action: number, first: string | null, second: string | null): number {
  switch (action) {
    case constants.SQLITE_SELECT:
    case constants.SQLITE_RECURSIVE:
      return constants.SQLITE_OK
    case constants.SQLITE_READ:
      return first?.toLowerCase() === secretTable ? constants.SQLITE_DENY : constants.SQLITE_OK
    case constants.SQLITE_FUNCTION:
      return refusedFunctions.has(second?.toLowerCase() ?? '') ? constants.SQLITE_DENY : constants.SQLITE_OK
    case constants.SQLITE_PRAGMA:
      // Asked by the full-text index itself before it reads: whether anybody has written since.
      return first?.toLowerCase() === 'data_version' && second === null
        ? constants.SQLITE_OK
        : constants.SQLITE_DENY
    default:
      return constants.SQLITE_DENY
  }
}
