import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'

/** A hash of some bytes at a known place, which a later, longer version of the file can be held against. */
export interface Fingerprint {
  /** How many bytes it covers. A file shorter than that many bytes when it was taken has fewer. */
  readonly bytes: number
  readonly sha256: string
}

export function fingerprintOf(bytes: Buffer): Fingerprint {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

export function isSame(fingerprint: Fingerprint, bytes: Buffer): boolean {
  return fingerprintOf(bytes).sha256 === fingerprint.sha256
}

/** As much of a file's beginning tells it from others. */
export const HEAD_BYTES = 4_096
/** As much of it before where reading ended tells that it was not changed since. */
export const TAIL_BYTES = 256

/** A few bytes that have just been read, so they come from memory, faster than through the thread pool. */
export function bytesBefore(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const count = readSync(fd, bytes, 0, length, offset - length)
  return bytes.subarray(0, count)
}
