/**
 * Bookmarks: "at least these positions", as a text that crosses processes and HTTP.
 *
 * Keeps: law 6 (a bookmark means what it meant when it was made: one of another database, or one that was changed
 * on its way, is refused before anything waits for it).
 *
 *   version 1 byte │ database 8 │ marks: epoch, seq as varints, by rising epoch │ signature 8     → base64url
 *
 * Version 2, where the session's reads may go to replicas, has a read part before the marks: timeline and place in the
 * log, as varints, of all that was seen.
 *
 * One mark takes about 23 bytes, 31 characters. The signature is HMAC-SHA-256 cut to 64 bits, keyed by a secret
 * that lives in the database: it keeps out garbage and forgeries, which would let a reader wait for what never
 * comes. It hides nothing.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { Epoch, LogPosition, Mark, Seq } from '../contracts/position.ts'
import type { DatabaseIdentity } from '../contracts/store.ts'
import { TidemarkError } from '../errors.ts'

const version = 1
const versionWithRead = 2
const idBytes = 8
const signatureBytes = 8
const headBytes = 1 + idBytes

/** More writers than this at once are merged by nobody; a longer text is not one of ours. */
const maxMarks = 1_000
const maxCharacters = 24_000

/** For each epoch the highest position that must have been committed. */
export type Marks = ReadonlyMap<Epoch, Seq>

/** What a bookmark stands for. */
export interface Bookmark {
  readonly marks: readonly Mark[]
  /** How far the log was when the last of it was seen; a server that follows must have come so far. */
  readonly seen: LogPosition | undefined
}

export class Bookmarks {
  readonly #id: Buffer
  readonly #secret: KeyObject

  constructor({ id, secret }: DatabaseIdentity) {
    this.#id = Buffer.from(id, 'hex')
    this.#secret = createSecretKey(Buffer.from(secret, 'hex'))
  }

  write(marks: Iterable<Mark>, seen?: LogPosition): string {
    const bytes = [seen ? versionWithRead : version, ...this.#id]
    if (seen) for (const part of [seen.timeline, seen.lsn]) pushVarint(bytes, part)
    for (const { epoch, seq } of [...marks].toSorted((a, b) => a.epoch - b.epoch)) {
      pushVarint(bytes, epoch)
      pushVarint(bytes, seq)
    }
    const content = Buffer.from(bytes)
    return Buffer.concat([content, this.#sign(content)]).toString('base64url')
  }

  /** @throws TidemarkError `INVALID_BOOKMARK` */
  read(bookmark: string): Bookmark {
    const bytes = decode(bookmark)
    const hasRead = bytes[0] === versionWithRead
    if (bytes[0] !== version && !hasRead)
      throw invalid(`it is of version ${bytes[0]}, and this knows versions 1 and 2`)
    if (!this.#id.equals(bytes.subarray(1, headBytes))) throw invalid('it belongs to another database')
    const content = bytes.subarray(0, bytes.length - signatureBytes)
    if (!timingSafeEqual(this.#sign(content), bytes.subarray(content.length)))
      throw invalid('it was changed, or made by somebody else')
    const numbers = readVarints(content.subarray(headBytes))
    const [timeline = 0, lsn = 0] = hasRead ? numbers.splice(0, 2) : []
    return { marks: marksOf(numbers), seen: hasRead ? { timeline, lsn } : undefined }
  }

  #sign(content: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(content).digest().subarray(0, signatureBytes)
  }
}

/** Raises what `marks` asks for to what `more` does. */
export function mergeMarks(marks: Map<Epoch, Seq>, more: Iterable<Mark>): void {
  for (const { epoch, seq } of more) if (seq > (marks.get(epoch) ?? 0)) marks.set(epoch, seq)
}

/** The place that has come as far as both. */
export function mergePositions(
  one: LogPosition | undefined,
  other: LogPosition | undefined,
): LogPosition | undefined {
  if (!one || !other) return one ?? other
  return { timeline: Math.max(one.timeline, other.timeline), lsn: Math.max(one.lsn, other.lsn) }
}

function decode(bookmark: unknown): Buffer {
  if (typeof bookmark !== 'string') throw invalid(`it is not a text but of type ${typeof bookmark}`)
  if (bookmark.length > maxCharacters) throw invalid(`it has ${bookmark.length} characters`)
  const bytes = Buffer.from(bookmark, 'base64url')
  // Node skips what is not base64url; then the text is not what these bytes are written as.
  if (bytes.length < headBytes + signatureBytes || bytes.toString('base64url') !== bookmark)
    throw invalid('it is not the text of one')
  return bytes
}

function readVarints(bytes: Buffer): number[] {
  const numbers: number[] = []
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale
    scale *= 0x80
    if (byte >= 0x80) continue
    numbers.push(value)
    value = 0
    scale = 1
  }
  return numbers
}

function marksOf(numbers: readonly number[]): Mark[] {
  const marks: Mark[] = []
  for (let index = 0; index + 1 < numbers.length; index += 2)
    marks.push({ epoch: numbers[index] as Epoch, seq: numbers[index + 1] as Seq })
  if (marks.length > maxMarks) throw invalid(`it names ${marks.length} writers`)
  return marks
}

/** Seven bits a byte, the lowest first; the high bit says that more follow. Exact up to 2^53. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}

function invalid(why: string): TidemarkError {
  return new TidemarkError('INVALID_BOOKMARK', `this bookmark cannot be used: ${why}.`, {
    hint: 'Take bookmarks as they come from `receipt.bookmark` or `session.bookmark`, and use them on the same database.',
  })
}
