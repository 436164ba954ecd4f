/**
 * The same tables without Tidemark, as a program has them that knows nothing of batches: each call by itself, and awaited.
 * What the vault is compared with.
 */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createNodeEngines } from '@surrealdb/node'
import { Pool } from 'pg'
import { createRemoteEngines, RecordId, Surreal } from 'surrealdb'
import type { MetadataPlace, StoreKind } from './metadata.ts'
import type { FileRow, PieceRow } from './tables.ts'

export interface Plain {
  /** Of an embedded SurrealDB: an engine has to share it, since a path can be open once. */
  readonly client?: Surreal
  file(note: string): Promise<Pick<FileRow, 'hash' | 'state'> | null>
  writeFile(row: FileRow): Promise<void>
  writePiece(row: PieceRow): Promise<void>
  markSearchable(note: string, atMs: number): Promise<void>
  close(): Promise<void>
}

type Place = Pick<MetadataPlace, 'folder' | 'url'>

const kinds: Record<StoreKind, (place: Place) => Promise<Plain>> = {
  surrealdb: plainSurreal,
  sqlite: plainSqlite,
  postgres: plainPostgres,
}

/** The tables are an engine's to make, before they are first used. */
export function openPlain(kind: StoreKind, place: Place): Promise<Plain> {
  return kinds[kind](place)
}

async function plainSurreal({ folder, url }: Place): Promise<Plain> {
  const client = new Surreal({ engines: { ...createRemoteEngines(), ...createNodeEngines() } })
  const names = { namespace: 'tidemark', database: 'tidemark' }
  await client.connect(url ?? `surrealkv://${path.join(folder, 'vault')}`, names)
  return {
    client,
    file: async (note) => (await client.select<FileRow>(new RecordId('files', note))) ?? null,
    writeFile: async (row) => void (await client.upsert(new RecordId('files', row.path)).content({ ...row })),
    writePiece: async (row) =>
      void (await client.upsert(new RecordId('pieces', row.key)).content({ ...row })),
    markSearchable: async (note, atMs) =>
      void (await client
        .update(new RecordId('files', note))
        .merge({ state: 'searchable', searchable_ms: atMs })),
    close: async () => void (await client.close()),
  }
}

function plainSqlite({ folder }: Place): Promise<Plain> {
  const database = new DatabaseSync(path.join(folder, 'vault.db'), { timeout: 10_000 })
  const run = (sql: string, values: readonly (string | number | null)[]): Promise<void> => {
    database.prepare(sql).run(...values)
    return Promise.resolve()
  }
  return Promise.resolve({
    file: (note) =>
      Promise.resolve((database.prepare(readFile('?')).get(note) ?? null) as unknown as FileRow | null),
    writeFile: (row) =>
      run(
        upsert('files', 'path', row, () => '?'),
        Object.values(row),
      ),
    writePiece: (row) =>
      run(
        upsert('pieces', 'key', row, () => '?'),
        Object.values(row),
      ),
    markSearchable: (note, atMs) => run(mark('?', '?'), [atMs, note]),
    close: () => Promise.resolve(database.close()),
  })
}

function plainPostgres({ url }: Place): Promise<Plain> {
  const client = new Pool({ connectionString: url, max: 1 })
  const run = async (sql: string, values: readonly unknown[]): Promise<void> =>
    void (await client.query(sql, [...values]))
  const numbered = (at: number): string => `$${at + 1}`
  return Promise.resolve({
    file: async (note) => (await client.query<FileRow>(readFile('$1'), [note])).rows[0] ?? null,
    writeFile: (row) => run(upsert('files', 'path', row, numbered), Object.values(row)),
    writePiece: (row) => run(upsert('pieces', 'key', row, numbered), Object.values(row)),
    markSearchable: (note, atMs) => run(mark('$1', '$2'), [atMs, note]),
    close: () => client.end(),
  })
}

function readFile(note: string): string {
  return `SELECT hash, state FROM files WHERE path = ${note}`
}

function mark(atMs: string, note: string): string {
  return `UPDATE files SET state = 'searchable', searchable_ms = ${atMs} WHERE path = ${note}`
}

function upsert(table: string, key: string, row: object, parameter: (at: number) => string): string {
  const columns = Object.keys(row)
  const given = columns.map((_, at) => parameter(at)).join(', ')
  const changed = columns.map((column) => `"${column}" = excluded."${column}"`).join(', ')
  return `INSERT INTO ${table} (${columns.map((column) => `"${column}"`).join(', ')}) VALUES (${given}) ON CONFLICT ("${key}") DO UPDATE SET ${changed}`
}
