/** A real Kysely whose queries go through Tidemark: what it builds is Kysely's, where it runs is ours. */
import {
  DefaultQueryExecutor,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect as KyselyDialect,
  type Driver,
  type QueryResult as KyselyResult,
  type TransactionSettings,
} from 'kysely'
import type { Dialect, QueryResult, SqlQuery } from '../contracts/store.ts'
import { NotSupportedError } from '../errors.ts'
import { encodeParameter } from '../writes/values.ts'
import { SurrealQueryCompiler } from './surreal-compiler.ts'

/** Where the queries of a Kysely go. One that can begin transactions has them come to it in between. */
export interface QueryPort {
  run(query: CompiledQuery): Promise<QueryResult>
  begin?(settings: TransactionSettings): Promise<void>
  commit?(): Promise<void>
  rollback?(): Promise<void>
}

/** Kysely would run one query at a time, as a driver with one connection needs it; the store has more. */
class PooledSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** What Kysely needs of each dialect but a driver, which is ours. A compiler begins anew with every query. */
const sqliteCompiler = new SqliteQueryCompiler()
const postgresCompiler = new PostgresQueryCompiler()
const mysqlCompiler = new MysqlQueryCompiler()
const surrealCompiler = new SurrealQueryCompiler()
const dialects: Readonly<Record<Dialect, Omit<KyselyDialect, 'createDriver'>>> = {
  sqlite: {
    createAdapter: () => new PooledSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => sqliteCompiler,
  },
  postgres: {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => postgresCompiler,
  },
  mysql: {
    createAdapter: () => new MysqlAdapter(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => mysqlCompiler,
  },
  surrealql: {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: () => {
      throw new NotSupportedError('SurrealDB tells nothing of its tables in SQL.', 'Ask it: `INFO FOR DB`.')
    },
    createQueryCompiler: () => surrealCompiler,
  },
}

/** A Kysely for queries alone: it refuses transactions, with a hint where they are to be had. */
export function kyselyOver<DB>(
  run: (query: SqlQuery) => Promise<QueryResult>,
  dialect: Dialect,
  transactionHint: string,
): Kysely<DB> {
  const port: QueryPort = { run: (query) => run(encodeQuery(query, dialect)) }
  return kyselyOn<DB>(() => port, dialect, transactionHint)
}

/**
 * Hot: every read passes here. Kysely's own way to a connection (initialise, acquire, log, release) is for drivers that
 * have some to manage, so queries are handed over directly. Destroying the Kysely ends nothing.
 *
 * @param connect called for every query, and once for each transaction
 */
export function kyselyOn<DB>(
  connect: () => QueryPort,
  dialectName: Dialect,
  transactionHint: string,
): Kysely<DB> {
  const refuse = async (): Promise<never> => {
    throw new NotSupportedError('this Kysely begins no transactions.', transactionHint)
  }
  const refuseSavepoint = async (): Promise<never> => {
    throw new NotSupportedError(
      'a transaction has no savepoints here.',
      'Nest nothing, or use the instance that was taken over.',
    )
  }
  const portOf = (connection: DatabaseConnection): QueryPort => (connection as PortConnection).port
  const driver: Driver = {
    init: async () => undefined,
    acquireConnection: async () => new PortConnection(connect()),
    beginTransaction: (connection, settings) => portOf(connection).begin?.(settings) ?? refuse(),
    commitTransaction: (connection) => portOf(connection).commit?.() ?? refuse(),
    rollbackTransaction: (connection) => portOf(connection).rollback?.() ?? refuse(),
    // Kysely takes a driver without these for one that has done them.
    savepoint: refuseSavepoint,
    rollbackToSavepoint: refuseSavepoint,
    releaseSavepoint: refuseSavepoint,
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  }
  const dialect: KyselyDialect = { ...dialects[dialectName], createDriver: () => driver }
  const executor = new DefaultQueryExecutor(dialect.createQueryCompiler(), dialect.createAdapter(), {
    provideConnection: (consumer) => consumer(new PortConnection(connect())),
  })
  return new Kysely<DB>({ config: { dialect }, dialect, driver, executor })
}

/** A query with its values as a store takes them. @throws InvalidOperationError `UNBINDABLE_VALUE` */
export function encodeQuery(
  { sql, parameters }: { readonly sql: string; readonly parameters: readonly unknown[] },
  dialect: Dialect,
): SqlQuery {
  const values = parameters.map((value, index) =>
    encodeParameter(value, dialect, () => `parameter ${index + 1} of the query`),
  )
  return { sql, parameters: values }
}

class PortConnection implements DatabaseConnection {
  readonly port: QueryPort

  constructor(port: QueryPort) {
    this.port = port
  }

  async executeQuery<R>(query: CompiledQuery): Promise<KyselyResult<R>> {
    const { rows, changes, lastInsertId } = await this.port.run(query)
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
