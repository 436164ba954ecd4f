/**
 * A source is what lines are read from: a file, plain or gzip, or a stream.
 *
 * A file is known again by device, inode and fingerprints of what has been read of it, so that a file that
 * grew goes on and one that was replaced, cut or edited is new. A stream cannot be read twice and is never
 * resumed.
 */
import type { Bytes } from './bytes.ts'
import type { Checkpoint } from './checkpoint.ts'

/** What a checkpoint says about the file itself. */
export type Proof = Pick<Checkpoint, 'key' | 'path' | 'size' | 'isGzip' | 'head' | 'tail'>

/** Whether a source is the one that a checkpoint was written for, and if not, why, in words. */
export type Match = { readonly kind: 'goes-on' } | { readonly kind: 'new'; readonly reason: string }

export interface Source {
  /** As the user called it; standard input is called that. */
  readonly name: string
  /** The same for the same file as long as it exists, also when it is renamed; null for a stream. */
  readonly key: string | null
  readonly isResumable: boolean
  readonly isGzip: boolean
  /** Bytes on disk when it was opened; null for a stream. */
  readonly size: number | null
  /** When the file was last changed; for a stream, the time it was opened. */
  readonly modifiedMs: number
  /** The first bytes, unpacked. */
  readonly head: Buffer
  /** Whether `head` is all there was. */
  readonly isHeadWhole: boolean
  /** Bytes read so far, to be held against `size`: of a gzip file, packed bytes. */
  bytesRead(): number
  /** The unpacked bytes from `offset` on. A stream gives them once, from its beginning. */
  bytes(offset: number): Bytes
  matches(checkpoint: Checkpoint): Promise<Match>
  /** What `matches` will later need to know the file again, read up to `offset`; null for a stream. */
  prove(offset: number): Proof | null
  /** Whether `bytes` has ended before the input did: `close` was called, or a file that is followed was cut. */
  readonly isClosed: boolean
  /** Also ends a `bytes` that is waiting for more. May be called again. */
  close(): Promise<void>
}
