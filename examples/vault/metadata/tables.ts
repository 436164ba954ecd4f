/** The two tables of a vault. Keys are texts: a store without numbers as ids can keep them. */

/** `written`: its pieces are in the database, their vectors not yet. */
export type FileState = 'written' | 'searchable' | 'refused' | 'failed'

export interface FileRow {
  /** Below the folder, with `/`. */
  readonly path: string
  /** Of the file as it was read: size, times and inode. */
  readonly stamp: string
  readonly hash: string
  /** Another one with each content: what is found out about one says nothing of the next. */
  readonly revision: string
  readonly title: string | null
  readonly size: number
  /** How many pieces there are. */
  readonly pieces: number
  readonly state: FileState
  readonly problem: string | null
  /** When its content was seen, and when all of it could be found, in ms since 1970. */
  readonly seen_ms: number
  readonly searchable_ms: number | null
}

export interface PieceRow {
  /** `path#n` */
  readonly key: string
  readonly path: string
  readonly n: number
  readonly revision: string
  readonly heading: string
  readonly text: string
  readonly hash: string
  readonly line: number
}

export interface DB {
  files: FileRow
  pieces: PieceRow
}

export function keyOf(path: string, n: number): string {
  return `${path}#${n}`
}
