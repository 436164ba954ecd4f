import { oneOf, parseOptions, whole, wholeTo, type Check } from '../../options.ts'

export interface SqliteVecOptions {
  /** Of every vector. At most 8,192, the limit of sqlite-vec. */
  readonly dimensions: number
  /** Holds the vectors; tables with its name and an ending beside it. Letters, digits and `_`. Default `vectors`. */
  readonly table?: string
  /** How far apart two vectors are. Default `cosine`. https://alexgarcia.xyz/sqlite-vec/features/knn.html */
  readonly distance?: 'cosine' | 'l2' | 'l1'
  /** How long a delivery or a search may take, in ms. Default 10,000. */
  readonly timeoutMs?: number
  /**
   * How long the version of a vector that was deleted is kept, in ms. An older effect that comes after that brings it
   * back. Default 30 days.
   */
  readonly tombstoneMs?: number
}

export type SqliteVecSettings = Required<SqliteVecOptions> & { readonly path: string }

export const SQLITE_VEC_DEFAULTS: Required<Omit<SqliteVecOptions, 'dimensions'>> = Object.freeze({
  table: 'vectors',
  distance: 'cosine',
  timeoutMs: 10_000,
  tombstoneMs: 30 * 24 * 3_600_000,
})

const file: Check = (value) =>
  typeof value === 'string' && value !== '' && value !== ':memory:' && !value.startsWith('file:')
    ? undefined
    : 'must be the path of a file'

const name: Check = (value) =>
  typeof value === 'string' && /^(?!sqlite_)[a-z_]\w{0,62}$/i.test(value)
    ? undefined
    : 'must be letters, digits and _, and begin with none of sqlite_ and a digit'

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseSqliteVecOptions(path: string, given: SqliteVecOptions): SqliteVecSettings {
  return parseOptions<SqliteVecSettings>(
    'sqliteVec',
    { ...given, path },
    {
      path: file,
      table: name,
      dimensions: wholeTo(8_192),
      distance: oneOf('cosine', 'l2', 'l1'),
      timeoutMs: whole,
      tombstoneMs: whole,
    },
    SQLITE_VEC_DEFAULTS,
  )
}
