import { Readable } from 'node:stream'

import { streamBytes, unpacked } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import { inputErrorFrom } from './input-error.ts'
import { isGzip, refuseNonText } from './probe.ts'
import type { Match, Proof, Source } from './source.ts'

const MAGIC_BYTES = 3
/** The format is told by what comes first. Waiting for more than a line would hold up a slow producer. */
const MAX_HEAD_BYTES = 64 * 1024
const NEWLINE = 10

export async function openStream(name: string, stream: AsyncIterable<unknown>, now: number): Promise<Source> {
  const source = new StreamSource(name, now, stream)
  try {
    await source.start()
    return source
  } catch (error) {
    await source.close()
    throw inputErrorFrom(error, name)
  }
}

class StreamSource implements Source {
  readonly key = null
  readonly isResumable = false
  readonly size = null
  readonly name: string
  readonly modifiedMs: number
  isGzip = false
  head: Buffer = Buffer.alloc(0)
  isHeadWhole = false
  isClosed = false
  readonly #stream: AsyncIterable<unknown>
  readonly #raw: Bytes
  #bytes: Bytes
  #bytesRead = 0

  constructor(name: string, now: number, stream: AsyncIterable<unknown>) {
    this.name = name
    this.modifiedMs = now
    this.#stream = stream
    this.#raw = streamBytes(stream)
    this.#bytes = this.#raw
  }

  /** Takes the first bytes to see what they are; `bytes` gives them again. */
  async start(): Promise<void> {
    const magic = await takeUntil(
      this.#raw,
      (blocks, length) => length >= MAGIC_BYTES || blocks.length > MAGIC_BYTES,
    )
    this.isGzip = isGzip(Buffer.concat(magic.blocks))
    const counted = this.#counted(chained(magic.blocks, this.#raw))
    const bytes = this.isGzip ? unpacked(counted, this.name) : counted
    const first = await takeUntil(bytes, (blocks, length) => {
      return length >= MAX_HEAD_BYTES || blocks.at(-1)?.includes(NEWLINE) === true
    })
    this.head = Buffer.concat(first.blocks)
    this.isHeadWhole = first.isEnd
    refuseNonText(this.head, this.name)
    this.#bytes = chained(first.blocks, bytes)
  }

  bytesRead(): number {
    return this.#bytesRead
  }

  async *bytes(): Bytes {
    try {
      for await (const block of this.#bytes) yield block
    } catch (error) {
      if (!this.isClosed) throw inputErrorFrom(error, this.name)
    }
  }

  async matches(): Promise<Match> {
    return { kind: 'new', reason: `${this.name} cannot be read twice` }
  }

  prove(): Proof | null {
    return null
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    // Not by ending the generators: they may be waiting for a producer that never speaks again.
    if (this.#stream instanceof Readable) this.#stream.destroy()
  }

  async *#counted(bytes: Bytes): Bytes {
    for await (const block of bytes) {
      this.#bytesRead += block.length
      yield block
    }
  }
}

/** Takes blocks until there are enough of them, and leaves the rest where it is. */
async function takeUntil(
  bytes: Bytes,
  isEnough: (blocks: readonly Buffer[], length: number) => boolean,
): Promise<{ blocks: Buffer[]; isEnd: boolean }> {
  const blocks: Buffer[] = []
  let length = 0
  while (!isEnough(blocks, length)) {
    const next = await bytes.next()
    if (next.done === true) return { blocks, isEnd: true }
    blocks.push(next.value)
    length += next.value.length
  }
  return { blocks, isEnd: false }
}

async function* chained(first: readonly Buffer[], rest: Bytes): Bytes {
  yield* first
  yield* rest
}
