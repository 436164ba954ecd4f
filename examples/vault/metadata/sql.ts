/** The tables in SQLite or PostgreSQL: both know the few types that they need by the same names. */
import path from 'node:path'
import { open, postgres, sqlite, type OpenOptions, type Store, type Tidemark } from '../tidemark.ts'
import type { Found, Freshness, Metadata, MetadataPlace } from './metadata.ts'
import type { DB, FileRow, PieceRow } from './tables.ts'

export async function openSql(place: MetadataPlace, options: OpenOptions): Promise<Metadata> {
  const db = await open<DB>(storeOf(place), options)
  try {
    await createTables(db)
    return new SqlMetadata(db)
  } catch (error) {
    await db.close().catch(() => undefined)
    throw error
  }
}

function storeOf({ kind, folder, url, maxPageCount }: MetadataPlace): Store {
  if (kind === 'sqlite')
    return sqlite(path.join(folder, 'vault.db'), maxPageCount === undefined ? {} : { maxPageCount })
  if (url === undefined) throw new Error('--store postgres needs --url postgres://…')
  return postgres(url)
}

async function createTables(db: Tidemark<DB>): Promise<void> {
  await db.transaction(async ({ schema }) => {
    await schema
      .createTable('files')
      .ifNotExists()
      .addColumn('path', 'text', (column) => column.primaryKey())
      .addColumn('stamp', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('revision', 'text', (column) => column.notNull())
      .addColumn('title', 'text')
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('pieces', 'integer', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('problem', 'text')
      .addColumn('seen_ms', 'bigint', (column) => column.notNull())
      .addColumn('searchable_ms', 'bigint')
      .execute()
    await schema
      .createTable('pieces')
      .ifNotExists()
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('path', 'text', (column) => column.notNull())
      .addColumn('n', 'integer', (column) => column.notNull())
      .addColumn('revision', 'text', (column) => column.notNull())
      .addColumn('heading', 'text', (column) => column.notNull())
      .addColumn('text', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('line', 'integer', (column) => column.notNull())
      .execute()
    await schema.createIndex('pieces_of_path').ifNotExists().on('pieces').column('path').execute()
  })
  await db.reloadSchema()
}

/** A statement takes only so many values. */
const pathsAtOnce = 500

/** What SurrealQL has words for too. */
export class SqlMetadata implements Metadata {
  readonly db: Tidemark<DB>

  constructor(db: Tidemark<DB>) {
    this.db = db
  }

  async file(note: string, freshness: Freshness): Promise<Found<FileRow>> {
    const query = this.db.read().selectFrom('files').selectAll().where('path', '=', note)
    const found = await this.db.query<FileRow>(query, freshness)
    return { ...found, rows: found.rows.map(fileOf) }
  }

  async files(): Promise<readonly FileRow[]> {
    const rows = await this.db.read('eventual').selectFrom('files').selectAll().execute()
    return rows.map(fileOf)
  }

  async piecesOf(paths?: readonly string[]): Promise<readonly PieceRow[]> {
    const all = this.db.read('eventual').selectFrom('pieces').selectAll()
    if (paths === undefined) return await all.execute()
    const found: PieceRow[] = []
    for (let at = 0; at < paths.length; at += pathsAtOnce)
      found.push(...(await all.where('path', 'in', paths.slice(at, at + pathsAtOnce)).execute()))
    return found
  }

  async pieces(keys: readonly string[], freshness: Freshness): Promise<Found<PieceRow>> {
    const query = this.db
      .read()
      .selectFrom('pieces')
      .selectAll()
      .where('key', 'in', [...keys, ''])
    return await this.db.query<PieceRow>(query, freshness)
  }
}

/** As the database gives it: PostgreSQL has more than a number for 64 bits. */
type RawFileRow = { readonly [Column in keyof FileRow]: unknown }

function fileOf(row: RawFileRow): FileRow {
  const { size, seen_ms: seenMs, searchable_ms: searchableMs } = row
  return {
    ...(row as FileRow),
    size: Number(size),
    seen_ms: Number(seenMs),
    searchable_ms: searchableMs === null ? null : Number(searchableMs),
  }
}
