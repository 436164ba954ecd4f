/** PostgreSQL by `pg`, as the code that SQL stores share asks for it. */
import type { SharedDialect } from '../../sql/dialect.ts'
import { postgresBookkeeping } from '../../sql/postgres-catalog.ts'
import { classifyPostgres } from '../../sql/postgres-codes.ts'
import { textOf } from './values.ts'

export const postgresDialect: SharedDialect = {
  name: 'postgres',
  ...postgresBookkeeping,
  schemaChangesCommit: false,
  classify: classifyPostgres,
  statement: (sql, values) => ({ sql, parameters: values.map(textOf) }),
}
