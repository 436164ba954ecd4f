/**
 * Takes lines from the stream as fast as the sink takes them, many at a time where there are many.
 *
 * A sink without room holds the stream back. A program that ends meanwhile would wait for it for as long as pino waits,
 * and lose what it holds; so with a fallback file the lines behind go there, once the sink had no room for `patienceMs`
 * and until it has.
 */
import type { Readable } from 'node:stream'
import { systemRuntime } from '../runtime/system.ts'
import { deadline } from './deadline.ts'
import type { Fallback } from './fallback.ts'
import type { Sink } from './sink.ts'

const linesAtOnce = 1_000
const charactersAtOnce = 1_000_000

interface Source extends Readable {
  readonly writableLength: number
}

export class Pump {
  readonly #source: Source
  readonly #read: (line: string) => string
  readonly #sink: Sink
  readonly #fallback: Fallback
  readonly #patienceMs: number
  #turn: Promise<void> | undefined
  /** The sink has had no room for too long. */
  #isFull = false
  /** Resolves when everything was handed on. */
  readonly ended: Promise<void>

  constructor(
    source: Source,
    read: (line: string) => string,
    sink: Sink,
    fallback: Fallback,
    patienceMs: number,
  ) {
    this.#source = source
    this.#read = read
    this.#sink = sink
    this.#fallback = fallback
    this.#patienceMs = patienceMs
    this.ended = this.#run().catch((error: unknown) => {
      source.destroy(error instanceof Error ? error : new Error(String(error)))
    })
  }

  /** Resolves when all that was written to the stream is committed. */
  async flush(): Promise<void> {
    while (this.#turn !== undefined || this.#source.readableLength > 0 || this.#source.writableLength > 0)
      await (this.#turn ?? new Promise<void>((resolve) => systemRuntime.atEndOfTick(resolve)))
    await this.#sink.flush()
  }

  async #run(): Promise<void> {
    let lines: string[] = []
    let characters = 0
    for await (const { line } of this.#source as AsyncIterable<{ readonly line: string }>) {
      const text = this.#read(line)
      lines.push(text)
      characters += text.length
      const isEnough = lines.length >= linesAtOnce || characters >= charactersAtOnce
      if (!isEnough && this.#source.readableLength > 0) continue
      this.#turn = this.#hand(lines)
      await this.#turn
      this.#turn = undefined
      lines = []
      characters = 0
    }
  }

  async #hand(lines: readonly string[]): Promise<void> {
    if (this.#isFull) return this.#fallback.keep(lines, 'have no room')
    const written = this.#sink.write(lines)
    if (this.#fallback.file === undefined) return await written
    const late = deadline(systemRuntime, this.#patienceMs)
    const hasRoom = await Promise.race([written.then(() => true), late.passed])
    late.cancel()
    if (hasRoom === true) return
    this.#isFull = true
    // What it has taken is its own to give back.
    const again = (): void => void (this.#isFull = false)
    written.then(again, again)
  }
}
