/** A connection of a command's own to PostgreSQL, beside those of an engine. */
import { Client } from 'pg'
import { clientConfig, sessionSettings } from '../../stores/postgres/connection.ts'
import { POSTGRES_DEFAULTS } from '../../stores/postgres/options.ts'
import { databaseError } from '../database-error.ts'
import type { DatabaseServer } from '../database.ts'

export interface ClientOptions {
  /** It can change nothing. Default: true. */
  readonly isReadOnly?: boolean
}

/** @throws CommandError when the server cannot be reached, or refuses */
export async function connect(
  database: DatabaseServer,
  { isReadOnly = true }: ClientOptions = {},
): Promise<Client> {
  const client = new Client(
    clientConfig(database.url, { ...POSTGRES_DEFAULTS, applicationName: 'tidemark command' }),
  )
  // What was under way fails with it.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(sessionSettings(POSTGRES_DEFAULTS, isReadOnly ? 'read' : 'write'))
    // A person may ask for what takes long, and look at it for longer.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    throw databaseError(database, error)
  }
}

/** What `work` fails with is for it to tell. */
export async function connected<T>(
  database: DatabaseServer,
  options: ClientOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(database, options)
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
