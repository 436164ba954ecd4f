/** All that is asked, in one snapshot. */
import { asStoreError } from '../../stores/postgres/classify.ts'
import { textOf } from '../../stores/postgres/values.ts'
import type { BookkeepingSource } from '../../writes/bookkeeping.ts'
import type { DatabaseServer } from '../database.ts'
import { connected } from './client.ts'

/** @throws CommandError; StoreError for what the server says of a query */
export function lookIntoServer<T>(
  database: DatabaseServer,
  look: (source: BookkeepingSource) => Promise<T>,
): Promise<T> {
  return connected(database, {}, async (client) => {
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      return await look({
        dialect: 'postgres',
        async query({ sql, parameters }) {
          const { rows, rowCount } = await client.query<Record<string, unknown>>(sql, parameters.map(textOf))
          return { rows, changes: rowCount ?? 0, lastInsertId: undefined }
        },
      })
    } catch (error) {
      throw error instanceof Error && 'severity' in error ? asStoreError(error, 'not-committed') : error
    }
  })
}
