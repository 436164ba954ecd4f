/** What is read of the tables that carry the laws, in the words of whichever database they are in. */
import type { Dialect, QueryResult, SqlQuery } from '../contracts/store.ts'
import type { Json, Value } from '../contracts/values.ts'
import { withParameters, type Own } from '../sql/text.ts'

/** An engine's store, or a database that is only read. */
export interface BookkeepingSource {
  readonly dialect: Dialect
  query(query: SqlQuery): QueryResult | Promise<QueryResult>
}

/** @param sql every `?` in it is a parameter */
export async function ask(
  source: BookkeepingSource,
  sql: Own,
  parameters: readonly Value[],
): Promise<QueryResult['rows']> {
  const { rows } = await source.query({ sql: withParameters(sql, source.dialect), parameters })
  return rows
}

const checkpointSql = {
  sql: 'SELECT value FROM tidemark_checkpoints WHERE source = ?',
  surrealql: "SELECT `value` FROM type::record('tidemark_checkpoints', ?)",
}

/** What the last committed load of a source gave as its checkpoint. */
export async function readCheckpoint(from: BookkeepingSource, source: string): Promise<Json | undefined> {
  const rows = await ask(from, checkpointSql, [source])
  return rows.length === 0 ? undefined : (JSON.parse(String(rows[0]?.['value'])) as Json)
}
