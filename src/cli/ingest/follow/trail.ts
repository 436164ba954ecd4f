/**
 * What was read of a file that others write to: its first bytes and its last ones, as they came. Proofs are made of
 * it and not of the file, which may be cut and filled again between a read and the proof of it.
 */
import { bytesBefore, fingerprintOf, HEAD_BYTES, TAIL_BYTES, type Fingerprint } from '../fingerprint.ts'

/** A line that is not finished is proven with its end only; of one that grows beyond this, the beginning is let go. */
const KEPT_BYTES = 4 * 1024 * 1024

export class Trail {
  readonly #fd: number
  #head: Buffer = Buffer.alloc(0)
  /** The bytes up to `#end`: those behind the last proof, and a few before it. */
  #recent: Buffer[] = []
  #recentBytes = 0
  #end = 0
  #wholeHead: Fingerprint | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  /** What is before was read by an earlier run, and has just been held against its proof. */
  start(offset: number): void {
    this.#end = offset
    this.#head = bytesBefore(this.#fd, Math.min(offset, HEAD_BYTES), Math.min(offset, HEAD_BYTES))
    this.#recent = []
    this.#recentBytes = 0
    const before = Math.min(offset, TAIL_BYTES)
    this.#push(bytesBefore(this.#fd, offset, before))
  }

  /** Bytes read behind all others. Their memory may be reused. */
  add(bytes: Buffer): void {
    if (this.#head.length < HEAD_BYTES)
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)])
    this.#push(Buffer.from(bytes))
    this.#end += bytes.length
    if (this.#recentBytes > KEPT_BYTES) this.#keepFrom(this.#end - KEPT_BYTES)
  }

  /** @param offset at or behind that of the proof before */
  prove(offset: number): { head: Fingerprint; tail: Fingerprint | null } {
    const head = this.#headFingerprint(offset)
    if (offset <= head.bytes) return { head, tail: null }
    this.#keepFrom(offset - TAIL_BYTES)
    const recent = Buffer.concat(this.#recent)
    const end = Math.max(0, recent.length - (this.#end - offset))
    return { head, tail: fingerprintOf(recent.subarray(Math.max(0, end - TAIL_BYTES), end)) }
  }

  /** Whether the last bytes that were read are still where they were. */
  isStillThere(): boolean {
    const last = Buffer.concat(this.#recent).subarray(-TAIL_BYTES)
    return last.equals(bytesBefore(this.#fd, this.#end, last.length))
  }

  /** The same for every proof, once as much has been read. */
  #headFingerprint(offset: number): Fingerprint {
    if (Math.min(offset, this.#head.length) < HEAD_BYTES) return fingerprintOf(this.#head.subarray(0, offset))
    this.#wholeHead ??= fingerprintOf(this.#head)
    return this.#wholeHead
  }

  #push(bytes: Buffer): void {
    this.#recent.push(bytes)
    this.#recentBytes += bytes.length
  }

  /** Lets go of whole blocks that end at or before `offset`. */
  #keepFrom(offset: number): void {
    for (;;) {
      const [first] = this.#recent
      const start = this.#end - this.#recentBytes
      if (first === undefined || start + first.length > offset) return
      this.#recent.shift()
      this.#recentBytes -= first.length
    }
  }
}
