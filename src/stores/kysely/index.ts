import { MysqlAdapter, PostgresAdapter, SqliteAdapter, type DialectAdapter, type Kysely } from 'kysely'
import type { Store } from '../../contracts/store.ts'
import { NotSupportedError } from '../../errors.ts'
import type { SqlDialect } from './dialect.ts'
import { mysqlDialect } from './dialects/mysql.ts'
import { postgresDialect } from './dialects/postgres.ts'
import { sqliteDialect } from './dialects/sqlite.ts'
import type { AnyKysely } from './session.ts'
import { KyselyStore } from './store.ts'

/**
 * The database behind a Kysely instance that exists already: SQLite, PostgreSQL, MySQL or MariaDB, by whatever
 * dialect it has. It stays the caller's, to use beside the engine and to destroy after it was closed.
 *
 * What a driver must be told, since nobody else can tell it:
 *
 * - Integers over 2^53 exactly: `defaultSafeIntegers(true)` of better-sqlite3; `supportBigNumbers: true` and a
 *   `typeCast` of mysql2; `types.setTypeParser(20, BigInt)` of pg, which gives strings otherwise. A read that met one
 *   which may have been rounded fails.
 * - That a lost connection is no reason to end the process: `pool.on('error', …)` of pg, and for those in use
 *   `pool.on('connect', (client) => client.on('error', …))`.
 * - `+FOUND_ROWS` of mysql2, which is its default, and strict mode of its server.
 *
 * A dialect with one connection for all (SQLite, PGlite) answers no read while `db.transaction()` runs, and a read of
 * the engine inside of its callback waits for its end. In MySQL, tables that are not InnoDB's are not known, and
 * `db.transaction()` makes tables or writes rows, not both: the one would commit the other, and cannot be rolled back.
 *
 * @throws NotSupportedError for other databases
 */
export function kysely<DB>(instance: Kysely<DB>): Store {
  const { adapter } = instance.getExecutor()
  const dialect = dialectOf(adapter)
  if (dialect === undefined)
    throw new NotSupportedError(
      `the store does not know the database behind a ${adapter.constructor.name}.`,
      'It takes Kysely dialects for SQLite, PostgreSQL, MySQL and MariaDB.',
    )
  return new KyselyStore(instance as unknown as AnyKysely, dialect)
}

const dialects = [
  [SqliteAdapter, 'SqliteAdapter', sqliteDialect],
  [PostgresAdapter, 'PostgresAdapter', postgresDialect],
  [MysqlAdapter, 'MysqlAdapter', mysqlDialect],
] as const

function dialectOf(adapter: DialectAdapter): SqlDialect | undefined {
  const names = namesOf(adapter)
  return dialects.find(([type, name]) => adapter instanceof type || names.includes(name))?.[2]
}

/** A dialect's package may have loaded a Kysely of its own, whose classes are others of the same name. */
function namesOf(adapter: object): string[] {
  const names: string[] = []
  for (let type: unknown = Object.getPrototypeOf(adapter); type !== null; type = Object.getPrototypeOf(type))
    names.push((type as { constructor: { name: string } }).constructor.name)
  return names
}
