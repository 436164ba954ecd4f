/** A streamed body, a line at a time: however long it is, never more of it is held than what was just read. */
import type { IncomingMessage } from 'node:http'
import type { Runtime } from '../../contracts/runtime.ts'
import { LineSplitter, type LineBlock } from '../../logs/lines.ts'
import type { Limits } from '../limits.ts'
import { encodingOf, piecesOf, type Encoding } from './pieces.ts'

export const LINE_TYPES: readonly string[] = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
]

export class StreamedLines {
  readonly #body: IncomingMessage
  readonly #encoding: Encoding
  readonly #limits: Limits
  readonly #runtime: Runtime

  /** @throws RequestError for an encoding that nobody unpacks */
  constructor(body: IncomingMessage, limits: Limits, runtime: Runtime) {
    this.#body = body
    this.#encoding = encodingOf(body)
    this.#limits = limits
    this.#runtime = runtime
  }

  /** Blocks of whole lines, at most 1,000 each. @throws RequestError */
  async *blocks(): AsyncGenerator<LineBlock, void, undefined> {
    const splitter = new LineSplitter(
      { offset: 0, line: 0 },
      { encoding: 'utf8', maxLineBytes: this.#limits.lineBytes },
    )
    for await (const piece of piecesOf(this.#body, this.#encoding, this.#limits.idleMs, this.#runtime)) {
      yield* splitter.push(piece)
    }
    yield* splitter.end()
  }
}
