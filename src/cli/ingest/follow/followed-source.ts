/**
 * A file that others write to, read as it grows: its bytes end when nothing can follow any more, because another file
 * has its name and its writer has gone, or because it was cut.
 */
import type { BigIntStats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { fileBytes, type Bytes } from '../bytes.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { InputError, inputErrorFrom } from '../input-error.ts'
import { matchOf } from '../match.ts'
import { isGzip, refuseNonText } from '../probe.ts'
import type { Match, Proof, Source } from '../source.ts'
import { keyOf } from './status.ts'
import { Trail } from './trail.ts'
import { WatchedFile, type Change } from './watched-file.ts'

/** Bytes read at once. */
const BLOCK_BYTES = 256 * 1024
/** What is looked at before anything is read as lines. */
const SAMPLE_BYTES = 256 * 1024

const NEWLINE = 10

export interface Following {
  /** Where it lies now. */
  readonly name: string
  /** The whole path that is followed. */
  readonly path: string
  readonly isLongReplaced: boolean
  /** So many lines must be there before it is told what they are. */
  readonly leastLines: number
  readonly signal: AbortSignal
}

export class FollowedSource implements Source, AsyncDisposable {
  readonly isResumable = true
  readonly isGzip = false
  readonly size = null
  readonly name: string
  readonly key: string
  head: Buffer = Buffer.alloc(0)
  isHeadWhole = false
  /** Why its bytes ended; undefined while they have not. */
  end: Exclude<Change, 'grown'> | undefined
  readonly #handle: FileHandle
  readonly #following: Following
  readonly #trail: Trail
  readonly #watched: WatchedFile
  #bytesRead = 0
  #hasClosed = false

  constructor(handle: FileHandle, { dev, ino, mtimeNs }: BigIntStats, following: Following) {
    this.#handle = handle
    this.#following = following
    this.name = following.name
    this.key = keyOf({ dev, ino })
    this.#trail = new Trail(handle.fd)
    const isAsRead = (): boolean => this.#trail.isStillThere()
    this.#watched = new WatchedFile({ ...following, handle, key: this.key, isAsRead }, mtimeNs)
  }

  /** Lines without a time were written about now, and not when it was opened. */
  get modifiedMs(): number {
    return this.#watched.modifiedMs
  }

  get isClosed(): boolean {
    return this.#hasClosed || this.end === 'stopped' || this.end === 'cut'
  }

  /** Waits until there are lines to tell a format by, or will never be. */
  async start(): Promise<void> {
    for (;;) {
      await this.#sample().catch((error: unknown) => {
        throw inputErrorFrom(error, this.name)
      })
      if (this.isHeadWhole && lineCount(this.head) < this.#following.leastLines) {
        const change = await this.#watched.change(this.head.length)
        if (change === 'grown' || change === 'cut') continue
        if (change === 'stopped' || this.head.length === 0) this.end = change
      }
      return
    }
  }

  bytesRead(): number {
    return this.#bytesRead
  }

  async *bytes(offset: number): Bytes {
    try {
      this.#trail.start(offset)
      for (let position = offset; ; position = this.#bytesRead) {
        yield* this.#present(position)
        const change = await this.#watched.change(this.#bytesRead)
        if (change === 'grown') continue
        this.end = change
        return
      }
    } catch (error) {
      if (!this.#hasClosed) throw inputErrorFrom(error, this.name)
    }
  }

  async matches(checkpoint: Checkpoint): Promise<Match> {
    if (checkpoint.key !== this.key) return { kind: 'new', reason: 'it is another file' }
    return await matchOf(this.#handle, this.isGzip, this.head, checkpoint)
  }

  prove(offset: number): Proof {
    const [path, size] = [this.#following.path, this.#bytesRead]
    return { key: this.key, path, size, isGzip: false, ...this.#trail.prove(offset) }
  }

  async close(): Promise<void> {
    if (this.#hasClosed) return
    this.#hasClosed = true
    await this.#handle.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What is there now. */
  async *#present(position: number): Bytes {
    this.#bytesRead = position
    for await (const block of fileBytes(this.#handle, position, BLOCK_BYTES)) {
      this.#bytesRead += block.length
      this.#trail.add(block)
      yield block
    }
  }

  async #sample(): Promise<void> {
    const buffer = Buffer.alloc(SAMPLE_BYTES)
    const { bytesRead } = await this.#handle.read(buffer, 0, SAMPLE_BYTES, 0)
    this.head = buffer.subarray(0, bytesRead)
    this.isHeadWhole = bytesRead < SAMPLE_BYTES
    if (isGzip(this.head)) throw packedError(this.name)
    refuseNonText(this.head, this.name)
    this.#trail.start(bytesRead)
  }
}

/** Opens a file to follow it; undefined when there is none. @throws InputError when it may not be read */
export async function openFollowed(following: Following): Promise<FollowedSource | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(following.name, 'r')
    return new FollowedSource(handle, await handle.stat({ bigint: true }), following)
  } catch (error) {
    await handle?.close()
    const failure = inputErrorFrom(error, following.name)
    if (failure.code === 'INPUT_NOT_FOUND') return undefined
    throw failure
  }
}

function lineCount(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

function packedError(name: string): InputError {
  return new InputError(
    'INPUT_COMPRESSION',
    `${name} is packed with gzip now and cannot be followed further`,
    'leave --follow out to ingest it once, and follow the file that is still written to',
  )
}
