import { createHash } from 'node:crypto'

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
