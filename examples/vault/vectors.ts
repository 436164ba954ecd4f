/**
 * The vectors, in a file of their own, through the target `tidemark/sqlite-vec`: it keeps each vector's version, so that what
 * comes late or again changes nothing. One effect of a file becomes one of each of its pieces.
 */
import { sqliteVec, type Effect, type EffectDead, type EffectRetry } from './tidemark.ts'

/** What is kept beside a vector: of which text it is. One of an earlier text is known by it. */
export interface VectorMetadata {
  readonly hash: string
}

export interface VectorWrite {
  readonly effect: Effect
  /** Of the piece. */
  readonly key: string
  /** Absent: its vector is removed. */
  readonly piece?: VectorMetadata
  readonly vector?: Float32Array
}

export interface Hit extends VectorMetadata {
  readonly key: string
  /** 0 for the same direction, 1 for nothing in common. */
  readonly distance: number
}

/** Without writes of its own. */
type Problem = EffectRetry | (EffectDead<unknown> & { readonly write?: never })

export class Vectors {
  readonly #target: ReturnType<typeof sqliteVec>

  constructor(file: string, dimensions: number) {
    this.#target = sqliteVec(file, { table: 'pieces', dimensions })
  }

  /** @returns what became of those that are not there now */
  async write(writes: readonly VectorWrite[], signal: AbortSignal): Promise<Map<VectorWrite, Problem>> {
    const problems = new Map<VectorWrite, Problem>()
    if (writes.length === 0) return problems
    const effects = writes.map(({ effect, key, piece, vector }): Effect => {
      const payload =
        piece && vector
          ? { op: 'set', vector: Array.from(vector), metadata: { hash: piece.hash } }
          : { op: 'delete' }
      return { ...effect, id: `${effect.id}/${key}`, key, payload }
    })
    const outcomes = (await this.#target.deliver(effects, { signal })) ?? []
    for (const [at, outcome] of outcomes.entries()) {
      const write = writes[at]
      if (write && outcome && outcome.kind !== 'delivered')
        problems.set(write, outcome.kind === 'retry' ? outcome : { kind: 'dead', error: outcome.error })
    }
    return problems
  }

  async search(vector: Float32Array, most: number): Promise<Hit[]> {
    const found = await this.#target.search(vector, most)
    return found.map(({ key, distance, metadata }) => ({ key, distance, ...parsePiece(metadata) }))
  }

  /** The file can be opened, and is of these dimensions. */
  async probe(): Promise<void> {
    await this.#target.probe(AbortSignal.timeout(10_000))
  }

  async close(): Promise<void> {
    await this.#target.close()
  }
}

/** @param metadata as it came from the file */
function parsePiece(metadata: unknown): VectorMetadata {
  const hash = typeof metadata === 'object' && metadata !== null && 'hash' in metadata ? metadata.hash : ''
  return { hash: typeof hash === 'string' ? hash : '' }
}
