/**
 * Does the effects of `embed`: texts of pieces to vectors, vectors to their file, and with the acknowledgement the row of the
 * file says that it is searchable. A row whose file has changed since says nothing: its own effects follow.
 */
import { EmbedderUnavailable, type Embedder } from '../embed/embedder.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { keyOf, type DB, type PieceRow } from '../metadata/tables.ts'
import type { Effect, EffectOutcome, Group } from '../tidemark.ts'
import type { Vectors, VectorWrite } from '../vectors.ts'
import type { NoteIndex } from './index.ts'
import { textOf, type EmbedPayload } from './write-note.ts'

type Outcome = EffectOutcome<Group<DB>>

/** After so many failures that are nobody's but the text's, its file is said to have failed. */
const maxAttempts = 4

interface Part {
  readonly effect: Effect
  readonly payload: EmbedPayload
  /** Those that are still as the effect found them; none where the file has changed since. */
  readonly pieces: readonly PieceRow[]
}

export class Embedding {
  readonly #metadata: Metadata
  readonly #vectors: Vectors
  readonly #embedder: Embedder
  readonly #index: NoteIndex

  constructor(metadata: Metadata, vectors: Vectors, embedder: Embedder, index: NoteIndex) {
    this.#metadata = metadata
    this.#vectors = vectors
    this.#embedder = embedder
    this.#index = index
  }

  async deliver(effects: readonly Effect[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const parts = await this.#partsOf(effects)
    for (const { payload } of parts) this.#index.advance(payload.path, payload.revision, 'embedding')
    try {
      return await this.#finish(parts, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof EmbedderUnavailable) return parts.map(() => unavailable(error))
      if (parts.length === 1 && parts[0]) return [this.#failed(parts[0], error)]
      // Which of them it is: each by itself.
      const outcomes: Outcome[] = []
      for (const { effect } of parts) outcomes.push(...(await this.deliver([effect], signal)))
      return outcomes
    }
  }

  async #partsOf(effects: readonly Effect[]): Promise<Part[]> {
    // What the effect carries is what this program gave it.
    const payloads = effects.map(({ payload }) => payload as unknown as EmbedPayload)
    const wanted = payloads.filter(({ from, to }) => to > from).map(({ path }) => path)
    const byKey = new Map((await this.#metadata.piecesOf(wanted)).map((piece) => [piece.key, piece]))
    return effects.map((effect, at) => {
      const payload = payloads[at] as EmbedPayload
      const pieces: PieceRow[] = []
      for (let n = payload.from; n < payload.to; n++) {
        const piece = byKey.get(keyOf(payload.path, n))
        if (piece?.revision === payload.revision) pieces.push(piece)
      }
      return { effect, payload, pieces: pieces.length === payload.to - payload.from ? pieces : [] }
    })
  }

  async #finish(parts: readonly Part[], signal: AbortSignal): Promise<Outcome[]> {
    const texts = parts.flatMap(({ pieces }) => pieces.map(textOf))
    const embedded = texts.length === 0 ? [] : await this.#embedder.embed(texts, signal)
    let at = 0
    const writes = parts.map(({ effect, payload, pieces }): VectorWrite[] => [
      ...pieces.map((piece) => ({ effect, key: piece.key, piece, vector: embedded[at++] as Float32Array })),
      ...dropped(payload).map((key) => ({ effect, key })),
    ])
    const problems = await this.#vectors.write(writes.flat(), signal)
    return parts.map(({ payload }, index) => {
      const problem = writes[index]?.map((write) => problems.get(write)).find((one) => one !== undefined)
      return problem ?? this.#delivered(payload)
    })
  }

  #delivered({ path, revision, isLast }: EmbedPayload): Outcome {
    if (!isLast || revision === null) return undefined
    const write = (to: Group<DB>): void =>
      to.update(
        'files',
        { path, revision, state: 'written' },
        { state: 'searchable', searchable_ms: Date.now() },
      )
    return { kind: 'delivered', write }
  }

  #failed({ effect, payload: { path, revision } }: Part, error: unknown): Outcome {
    if (effect.attempt < maxAttempts) return { kind: 'retry', error, isOverload: false }
    const problem = `it cannot be embedded: ${error instanceof Error ? error.message : String(error)}`
    if (revision === null) return undefined
    // It is delivered: what came of it stands in the row.
    return {
      kind: 'delivered',
      write: (to) => to.update('files', { path, revision }, { state: 'failed', problem }),
    }
  }
}

/** The target is down: that is no failure of the effect's own, and it waits. */
function unavailable(error: EmbedderUnavailable): Outcome {
  return { kind: 'retry', error, isOverload: true }
}

function dropped({ path, to, dropUpTo }: EmbedPayload): string[] {
  return Array.from({ length: dropUpTo - to }, (_, at) => keyOf(path, to + at))
}
