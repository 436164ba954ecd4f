/**
 * Where a vault keeps what it knows of its notes. A store of another kind is one more file beside `sql.ts`: it makes the
 * two tables, opens Tidemark on them, and answers four questions about one table each. Writes, `get`, `pending` and
 * effects are Tidemark's own, whatever the store.
 */
import type { Surreal } from 'surrealdb'
import type { OpenOptions, PendingRow, Position, QueryOptions, Tidemark } from '../tidemark.ts'
import type { DB, FileRow, PieceRow } from './tables.ts'

/** What a read found, and how fresh it is. */
export interface Found<Row> {
  readonly rows: readonly Row[]
  readonly seen: readonly Position[]
  readonly waitedMs: number
  readonly pending: readonly PendingRow[]
}

/** How fresh a read must be, and how long it may wait for that. */
export type Freshness = Pick<QueryOptions, 'consistency' | 'processors' | 'timeoutMs' | 'keys'>

export interface Metadata {
  readonly db: Tidemark<DB>
  /** The row of one file, if there is one. */
  file(path: string, freshness: Freshness): Promise<Found<FileRow>>
  /** All files, as they are committed. */
  files(): Promise<readonly FileRow[]>
  /** The pieces of these files, or all, as they are committed. */
  piecesOf(paths?: readonly string[]): Promise<readonly PieceRow[]>
  /** The pieces with these keys, those that are there. */
  pieces(keys: readonly string[], freshness: Freshness): Promise<Found<PieceRow>>
}

export type StoreKind = 'surrealdb' | 'sqlite' | 'postgres'

export function isStoreKind(name: string): name is StoreKind {
  return name === 'surrealdb' || name === 'sqlite' || name === 'postgres'
}

/** Where: a file in the vault's state folder, or a server. */
export interface MetadataPlace {
  readonly kind: StoreKind
  readonly folder: string
  readonly url?: string | undefined
  /** Of SurrealDB, one that is open already: what it has open nobody else can. */
  readonly client?: Surreal | undefined
  /** Of the SQLite file, in pages: a disk that is full, for tests. */
  readonly maxPageCount?: number | undefined
}

export type OpenMetadata = (place: MetadataPlace, options: OpenOptions) => Promise<Metadata>
