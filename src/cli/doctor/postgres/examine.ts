/** All checks of a server and a database on it, in the order in which their findings are read. */
import type { Client } from 'pg'
import { codeOf, messageOf } from '../../../sql/failure.ts'
import type { DatabaseServer } from '../../database.ts'
import { CommandError } from '../../failure.ts'
import { connect } from '../../postgres/client.ts'
import { fail, ok, type Finding } from '../finding.ts'
import { nodeVersion } from '../versions.ts'
import { bookkeepingChecks } from './bookkeeping.ts'
import { connectionChecks } from './connections.ts'
import { durabilityChecks } from './durability.ts'
import { tableChecks } from './tables.ts'

/** What a check asks the server: rows of texts, numbers and booleans. */
export type Ask = (sql: string) => Promise<readonly Row[]>
export type Row = Readonly<Record<string, unknown>>

/** May find nothing to say where it does not apply. */
export interface Check {
  readonly name: string
  readonly find: (ask: Ask) => Promise<Finding>
}

export async function* examineServer(database: DatabaseServer): AsyncGenerator<Finding> {
  yield nodeVersion()
  let client: Client
  try {
    client = await connect(database)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    yield fail('server', error.message.replace(/\.$/, ''), error.hint ?? 'Check the URL given with --store.')
    return
  }
  try {
    yield ok('server', `${database.name} answers`)
    const ask: Ask = async (sql) => (await client.query<Row>(sql)).rows
    const checks = [
      ...durabilityChecks,
      ...connectionChecks(() => hold(database)),
      ...bookkeepingChecks(database.name),
      ...tableChecks,
    ]
    for (const { name, find } of checks) yield await orFailure(name, () => find(ask))
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Another connection, with a transaction that stays open. */
async function hold(database: DatabaseServer): Promise<AsyncDisposable> {
  const client = await connect(database)
  await client.query('BEGIN READ ONLY')
  await client.query('SELECT 1')
  return { [Symbol.asyncDispose]: () => client.end().catch(() => undefined) }
}

/** What one user may not see is no reason to see nothing. */
async function orFailure(name: string, find: () => Promise<Finding>): Promise<Finding> {
  try {
    return await find()
  } catch (error) {
    const code = codeOf(error)
    const text = `${messageOf(error)}${code === undefined ? '' : ` (${code})`}`
    return fail(
      name,
      text,
      code === '42501'
        ? 'Give this user the right to look: GRANT pg_monitor TO the user, and SELECT on the tidemark_ tables.'
        : 'Run it again. If it stays, this server is one that Tidemark does not know.',
    )
  }
}
