import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'

import { fileBytes, skipBytes, unpacked } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import type { Checkpoint } from './checkpoint.ts'
import { bytesBefore, fingerprintOf, HEAD_BYTES, TAIL_BYTES } from './fingerprint.ts'
import type { Fingerprint } from './fingerprint.ts'
import { matchOf } from './match.ts'
import { InputError, inputErrorFrom } from './input-error.ts'
import { isGzip, refuseNonText } from './probe.ts'
import type { Match, Proof, Source } from './source.ts'

/** What is looked at before anything is read as lines: for the format, and for the types of CSV columns. */
const SAMPLE_BYTES = 256 * 1024
const MAGIC_BYTES = 3

export async function openFile(path: string, blockBytes: number): Promise<Source> {
  const handle = await open(path, 'r')
  try {
    const status = await handle.stat({ bigint: true })
    const magic = Buffer.alloc(MAGIC_BYTES)
    await handle.read(magic, 0, MAGIC_BYTES, 0)
    const file: OpenFile = {
      handle,
      name: path,
      key: `file:${status.dev}:${status.ino}`,
      size: Number(status.size),
      modifiedMs: Number(status.mtimeMs),
      isGzip: isGzip(magic),
      blockBytes,
    }
    const sample = await readSample(file)
    refuseNonText(sample.head, path)
    return new FileSource(file, sample.head, sample.isWhole)
  } catch (error) {
    await handle.close()
    throw error
  }
}

interface OpenFile {
  readonly handle: FileHandle
  readonly name: string
  readonly key: string
  readonly size: number
  readonly modifiedMs: number
  readonly isGzip: boolean
  readonly blockBytes: number
}

class FileSource implements Source {
  readonly isResumable = true
  readonly name: string
  readonly key: string
  readonly isGzip: boolean
  readonly size: number
  readonly modifiedMs: number
  readonly head: Buffer
  readonly isHeadWhole: boolean
  readonly #file: OpenFile
  isClosed = false
  #bytesRead = 0
  /** The fingerprint of the first 4 KB, once as much has been read. */
  #wholeHead: Fingerprint | undefined

  constructor(file: OpenFile, head: Buffer, isHeadWhole: boolean) {
    this.#file = file
    this.name = file.name
    this.key = file.key
    this.isGzip = file.isGzip
    this.size = file.size
    this.modifiedMs = file.modifiedMs
    this.head = head
    this.isHeadWhole = isHeadWhole
  }

  bytesRead(): number {
    return this.#bytesRead
  }

  async *bytes(offset: number): Bytes {
    try {
      yield* this.isGzip ? this.#unpackedBytes(offset) : this.#plainBytes(offset)
    } catch (error) {
      if (!this.isClosed) throw inputErrorFrom(error, this.name)
    }
  }

  async matches(checkpoint: Checkpoint): Promise<Match> {
    if (checkpoint.key !== this.key) return { kind: 'new', reason: 'it is another file' }
    return await matchOf(this.#file.handle, this.isGzip, this.head, checkpoint)
  }

  prove(offset: number): Proof {
    const head = this.#headFingerprint(offset)
    const isCovered = this.isGzip || offset <= head.bytes
    const tail = isCovered ? null : fingerprintOf(bytesBefore(this.#file.handle.fd, offset, TAIL_BYTES))
    const size = Math.max(this.size, this.#bytesRead)
    return { key: this.key, path: resolve(this.name), size, isGzip: this.isGzip, head, tail }
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    await this.#file.handle.close()
  }

  /** Only what has been read counts: what is behind it may still change as its writer likes. */
  #headFingerprint(offset: number): Fingerprint {
    const length = Math.min(offset, HEAD_BYTES, this.head.length)
    if (length < HEAD_BYTES) return fingerprintOf(this.head.subarray(0, length))
    this.#wholeHead ??= fingerprintOf(this.head.subarray(0, length))
    return this.#wholeHead
  }

  async *#plainBytes(offset: number): Bytes {
    this.#bytesRead = offset
    for await (const block of fileBytes(this.#file.handle, offset, this.#file.blockBytes)) {
      this.#bytesRead += block.length
      yield block
    }
    const { size } = await this.#file.handle.stat()
    if (size < this.#bytesRead) throw changedError(this.name, `it has ${size} bytes now`)
  }

  async *#unpackedBytes(offset: number): Bytes {
    let unpackedCount = 0
    const counted = async function* (bytes: Bytes): Bytes {
      for await (const block of bytes) {
        unpackedCount += block.length
        yield block
      }
    }
    yield* skipBytes(counted(unpacked(this.#packedBytes(), this.name)), offset)
    if (unpackedCount < offset) throw changedError(this.name, `it holds ${unpackedCount} bytes now`)
  }

  async *#packedBytes(): Bytes {
    this.#bytesRead = 0
    for await (const block of fileBytes(this.#file.handle, 0, this.#file.blockBytes)) {
      this.#bytesRead += block.length
      yield block
    }
  }
}

async function readSample(file: OpenFile): Promise<{ head: Buffer; isWhole: boolean }> {
  const packed = fileBytes(file.handle, 0, SAMPLE_BYTES)
  const blocks: Buffer[] = []
  let length = 0
  try {
    for await (const block of file.isGzip ? unpacked(packed, file.name) : packed) {
      blocks.push(Buffer.from(block))
      length += block.length
      if (length >= SAMPLE_BYTES) break
    }
  } catch (error) {
    // A damaged gzip file: what could be unpacked will be read as lines first, and meets the damage again.
    if (!(error instanceof InputError)) throw error
  }
  return { head: Buffer.concat(blocks).subarray(0, SAMPLE_BYTES), isWhole: length < SAMPLE_BYTES }
}

function changedError(name: string, now: string): InputError {
  return new InputError(
    'INPUT_CHANGED',
    `${name} was cut while it was being read: ${now}`,
    'what was read before is in; run the same command again to read what is there now',
  )
}
