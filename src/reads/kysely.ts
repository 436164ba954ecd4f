/** A real Kysely whose queries go through Tidemark: what it builds is Kysely's, where it runs is ours. */
import {
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult as KyselyResult,
} from 'kysely'
import type { QueryResult, SqlQuery } from '../contracts/store.ts'
import { NotSupportedError } from '../errors.ts'
import { encodeValue } from '../writes/values.ts'

/** Runs one query, after whatever its reader has to wait for. */
export type RunQuery = (query: SqlQuery) => Promise<QueryResult>

export function kyselyOver<DB>(run: RunQuery, transactionHint: string): Kysely<DB> {
  const connection = new GatedConnection(run)
  const refuse = async (): Promise<never> => {
    throw new NotSupportedError('this Kysely begins no transactions.', transactionHint)
  }
  const driver: Driver = {
    init: async () => undefined,
    acquireConnection: async () => connection,
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  }
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return new Kysely<DB>({ dialect })
}

class GatedConnection implements DatabaseConnection {
  readonly #run: RunQuery

  constructor(run: RunQuery) {
    this.#run = run
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<KyselyResult<R>> {
    const values = parameters.map((value, index) =>
      encodeValue(value, 'bigint', () => `parameter ${index + 1} of the query`),
    )
    const { rows, changes, lastInsertId } = await this.#run({ sql, parameters: values })
    return {
      // What the columns are is the caller's claim, made with the type DB.
      rows: rows as R[],
      numAffectedRows: BigInt(changes),
      ...(lastInsertId === undefined ? {} : { insertId: BigInt(lastInsertId) }),
    }
  }

  // oxlint-disable-next-line require-yield -- it refuses before there is anything to yield
  async *streamQuery<R>(): AsyncIterableIterator<KyselyResult<R>> {
    throw new NotSupportedError('reads are not streamed.', 'Page through the rows by key.')
  }
}
