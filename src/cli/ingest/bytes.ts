/** Where the bytes of an input come from: a file, a stream, and either of them unpacked. */
import type { FileHandle } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'

import { InputError } from './input-error.ts'

export type Bytes = AsyncGenerator<Buffer, void, undefined>

/** Compressed bytes unpacked in one step. A thousandfold of this is what a hostile file can make of it. */
const PACKED_STEP_BYTES = 32 * 1024
const UNPACKED_STEP_BYTES = 256 * 1024

/**
 * The bytes of an open file from `position` to its end, in blocks. While the caller works on one block the
 * next is being read. A block is valid until the next one is asked for.
 */
export async function* fileBytes(handle: FileHandle, position: number, blockBytes: number): Bytes {
  const read = (buffer: Buffer, from: number): Promise<number> =>
    handle.read(buffer, 0, blockBytes, from).then((result) => result.bytesRead)
  let current = Buffer.allocUnsafeSlow(blockBytes)
  let other = Buffer.allocUnsafeSlow(blockBytes)
  let next = position
  let reading = read(current, next)
  try {
    for (;;) {
      const length = await reading
      if (length === 0) return
      const block = current.subarray(0, length)
      next += length
      ;[current, other] = [other, current]
      reading = read(current, next)
      yield block
    }
  } finally {
    // The handle must not be closed under a read that nobody waits for any more.
    await reading.catch(() => 0)
  }
}

/**
 * Unpacks gzip, any number of members. What was unpacked before an error is given first.
 *
 * @throws InputError `INPUT_INCOMPLETE` when the data ends within a member, `INPUT_DAMAGED` when it is no
 *   gzip.
 */
export async function* unpacked(packed: AsyncIterable<Buffer>, name: string): Bytes {
  const gunzip = createGunzip({ chunkSize: UNPACKED_STEP_BYTES })
  let ready: Buffer[] = []
  let failure: Error | undefined
  let isEnded = false
  let wake = (): void => undefined
  // A stream's own iterator would drop what it holds when an error comes: the blocks are collected here
  // instead.
  gunzip.on('data', (block: Buffer) => ready.push(block))
  gunzip.on('end', () => {
    isEnded = true
    wake()
  })
  gunzip.on('error', (error) => {
    failure = error
    wake()
  })
  const step = (send: (done: () => void) => void): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
      send(resolve)
    })
  function* take(): Generator<Buffer, void, undefined> {
    const blocks = ready
    ready = []
    yield* blocks
  }
  try {
    for await (const block of packed) {
      for (let at = 0; at < block.length; at += PACKED_STEP_BYTES) {
        const piece = block.subarray(at, at + PACKED_STEP_BYTES)
        if (!isEnded) await step((done) => gunzip.write(piece, done))
        yield* take()
        if (failure !== undefined) throw unpackError(failure, name)
        // A file may be padded with zeros; the unpacker stops there. Anything else behind them would be lost.
        if (isEnded && piece.at(-1) !== 0) throw trailingError(name)
      }
    }
    if (!isEnded) await step(() => gunzip.end())
    yield* take()
    if (failure !== undefined) throw unpackError(failure, name)
  } finally {
    gunzip.destroy()
  }
}

function unpackError(error: Error, name: string): InputError {
  if ('code' in error && error.code === 'Z_BUF_ERROR') {
    return new InputError(
      'INPUT_INCOMPLETE',
      `${name} ends in the middle of its compressed data`,
      'what could be unpacked is in; run the same command again when the file is complete',
      error,
    )
  }
  return new InputError(
    'INPUT_DAMAGED',
    `${name} is damaged: its compressed data cannot be unpacked further (${error.message})`,
    'what could be unpacked is in; zcat FILE | tidemark ingest - takes all that gzip itself can save',
    error,
  )
}

function trailingError(name: string): InputError {
  return new InputError(
    'INPUT_DAMAGED',
    `${name} holds something else behind its compressed data`,
    'what could be unpacked is in; zcat FILE | tidemark ingest - reads it the way gzip does',
  )
}

/** Leaves out the first `count` bytes. Ends early if there are fewer; the caller compares offsets. */
export async function* skipBytes(bytes: AsyncIterable<Buffer>, count: number): Bytes {
  let left = count
  for await (const block of bytes) {
    if (left >= block.length) left -= block.length
    else {
      yield left === 0 ? block : block.subarray(left)
      left = 0
    }
  }
}

/** The bytes of a stream, whatever kind of chunk it gives. */
export async function* streamBytes(stream: AsyncIterable<unknown>): Bytes {
  for await (const chunk of stream) {
    if (Buffer.isBuffer(chunk)) yield chunk
    else if (chunk instanceof Uint8Array) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    else yield Buffer.from(String(chunk))
  }
}
