/** The tables in SurrealDB: an embedded one in the vault's state folder. Its paths and keys are its records' ids. */
import path from 'node:path'
import { CompiledQuery } from 'kysely'
import { open, surrealdb, type OpenOptions } from '../tidemark.ts'
import type { Metadata, MetadataPlace } from './metadata.ts'
import { SqlMetadata } from './sql.ts'
import type { DB } from './tables.ts'

const tables = [
  'DEFINE TABLE IF NOT EXISTS files SCHEMALESS',
  'DEFINE INDEX IF NOT EXISTS primary_key ON files FIELDS path UNIQUE',
  'DEFINE TABLE IF NOT EXISTS pieces SCHEMALESS',
  'DEFINE INDEX IF NOT EXISTS primary_key ON pieces FIELDS `key` UNIQUE',
  'DEFINE INDEX IF NOT EXISTS pieces_of_path ON pieces FIELDS path',
]

export async function openSurreal(
  { folder, url, client }: MetadataPlace,
  options: OpenOptions,
): Promise<Metadata> {
  const store =
    client === undefined ? surrealdb(url ?? `surrealkv://${path.join(folder, 'vault')}`) : surrealdb(client)
  const db = await open<DB>(store, options)
  try {
    await db.transaction(async (trx) => {
      for (const sql of tables) await trx.executeQuery(CompiledQuery.raw(sql))
    })
    await db.reloadSchema()
    return new SqlMetadata(db)
  } catch (error) {
    await db.close().catch(() => undefined)
    throw error
  }
}
