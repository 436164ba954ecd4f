/** One SELECT of the user's own, read a page at a time in a transaction that can only read. */
import type { Client } from 'pg'
import { codeOf, messageOf } from '../../sql/failure.ts'
import { withoutEnd } from '../../sql/guard.ts'
import type { DatabaseServer } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import type { Rows } from '../terminal/rows.ts'
import { connected } from './client.ts'

const pageRows = 1_000

/** @throws CommandError when the SQL is wrong, or is no SELECT */
export async function queryServer(
  database: DatabaseServer,
  sql: string,
  show: (columns: readonly string[], rows: Rows) => Promise<void>,
): Promise<void> {
  await connected(database, {}, async (client) => {
    try {
      await client.query('BEGIN READ ONLY')
      // The server itself takes nothing but one SELECT here; and with a name, nothing but one statement.
      await client.query({ name: 'found', text: `DECLARE found NO SCROLL CURSOR FOR ${withoutEnd(sql)}` })
      const first = await page(client)
      await show(first.columns, rowsOf(client, first.rows))
    } catch (error) {
      if (error instanceof CommandError) throw error
      const code = codeOf(error)
      throw new CommandError(
        EXIT.usage,
        `the query failed: ${messageOf(error)}${code === undefined ? '' : ` (${code})`}.`,
        'It takes one SELECT. See the tables: npx tidemark query "select table_name from information_schema.tables where table_schema = \'public\'"',
      )
    }
  })
}

async function page(client: Client): Promise<{ columns: readonly string[]; rows: readonly unknown[][] }> {
  const { fields, rows } = await client.query<unknown[]>({
    text: `FETCH ${pageRows} FROM found`,
    rowMode: 'array',
  })
  return { columns: fields.map(({ name }) => name), rows }
}

async function* rowsOf(client: Client, first: readonly unknown[][]): AsyncGenerator<unknown[]> {
  for (let rows = first; rows.length > 0; rows = (await page(client)).rows) yield* rows
}
