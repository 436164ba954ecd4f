/** What makes vectors of texts. A model's is another object of this shape. */
export interface Embedder {
  readonly dimensions: number
  /** @returns one vector a text, in their order */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>
}

const dimensions = 256

/**
 * Bags of words, hashed into places of a vector: texts that share words are near each other. No model, no file, and always
 * the same vector for the same text.
 */
export const hashing: Embedder = {
  dimensions,
  embed: (texts) => Promise.resolve(texts.map(vectorOf)),
}

function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(dimensions)
  // A text without words has a direction too.
  vector[0] = 0.01
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    const hash = hashOf(word)
    const place = hash % dimensions
    vector[place] = (vector[place] ?? 0) + (hash & 0x8000_0000 ? -1 : 1)
  }
  // Of a word that comes often, each further time says less.
  for (const [place, value] of vector.entries()) vector[place] = Math.sign(value) * Math.sqrt(Math.abs(value))
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / length)
}

/** FNV-1a. */
function hashOf(word: string): number {
  let hash = 0x811c_9dc5
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x0100_0193)
  return hash >>> 0
}
