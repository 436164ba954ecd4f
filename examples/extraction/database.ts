/** The engine of one process. Each has a name that it keeps, so that a successor takes over at once. */
import { Client } from 'pg'
import { schema, type DB } from './tables.ts'
import { open, postgres, type Group, type Tidemark } from './tidemark.ts'

export type Database = Tidemark<DB>
export type Writes = Group<DB>

/** Any number, the same in every process: they make the tables one after the other. */
const schemaLock = 7_301_001

export interface DatabaseOptions {
  readonly postgres: string
  readonly writer: string
  /** Connections for reads, at most. */
  readonly readers: number
}

export async function openDatabase({ postgres: url, writer, readers }: DatabaseOptions): Promise<Database> {
  await createTables(url)
  return await open<DB>(
    postgres(url, { applicationName: writer, readers: { min: Math.min(2, readers), max: readers } }),
    { writer, ids: { projects: 'preallocated' }, reads: { timeoutMs: 15_000 } },
  )
}

async function createTables(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  // Whoever awaits an answer hears of it too.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`PostgreSQL cannot be reached: ${message}. Start it, then this again.`, { cause })
  }
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [schemaLock])
    for (const statement of schema) await client.query(statement)
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}
