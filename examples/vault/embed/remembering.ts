/** The same text is embedded once: notes share licences and badges, and one that was renamed has all of its pieces again. */
import type { Embedder } from './embedder.ts'

export interface Remembering extends Embedder {
  /** Texts asked for, and those that were embedded for it. */
  readonly counts: { asked: number; embedded: number }
}

/** @param most texts whose vectors are kept, those that were asked for longest ago are forgotten first */
export function remembering(embedder: Embedder, most = 20_000): Remembering {
  const known = new Map<string, Promise<Float32Array>>()
  const counts = { asked: 0, embedded: 0 }
  const remember = (text: string, vector: Promise<Float32Array>): Promise<Float32Array> => {
    known.delete(text)
    known.set(text, vector)
    return vector
  }

  async function embed(
    texts: readonly string[],
    signal: AbortSignal,
    isUrgent?: boolean,
  ): Promise<readonly Float32Array[]> {
    counts.asked += texts.length
    const unknown = [...new Set(texts)].filter((text) => !known.has(text))
    if (unknown.length > 0) {
      counts.embedded += unknown.length
      const embedded = embedder.embed(unknown, signal, isUrgent)
      for (const [at, text] of unknown.entries()) {
        const vector = embedded.then((vectors) => vectors[at] as Float32Array)
        // Whoever asked is told of a failure; whoever asks next tries again.
        vector.catch(() => known.get(text) === vector && known.delete(text))
        void remember(text, vector)
      }
    }
    const vectors = texts.map((text) => remember(text, known.get(text) as Promise<Float32Array>))
    for (const text of known.keys()) {
      if (known.size <= most) break
      known.delete(text)
    }
    return await Promise.all(vectors)
  }

  return { ...embedder, counts, embed }
}
