/**
 * Texts as numbers of words and parts of words: of all ways to divide a text, the likeliest, as the model was taught it. Gives
 * what the tokenizer of @energetic-ai/embeddings gives, which copies the rest of a text for each of its characters: 8 ms for
 * a thousand of them.
 */

/** A word and how likely it is, as a logarithm. */
export type Vocabulary = readonly (readonly [word: string, score: number])[]

interface Node {
  readonly next: Map<string, Node>
  /** Where a word ends: which, in the vocabulary. */
  word?: number
}

const unknown = 0
/** These of the vocabulary stand for no text. */
const reserved = 6
/** Stands for a space, and before the first word. */
const separator = '\u2581'

export function tokenizer(vocabulary: Vocabulary): (text: string) => number[] {
  const root: Node = { next: new Map() }
  for (let word = reserved; word < vocabulary.length; word++) {
    let node = root
    for (const symbol of vocabulary[word]?.[0] ?? '') {
      let next = node.next.get(symbol)
      if (next === undefined) node.next.set(symbol, (next = { next: new Map() }))
      node = next
    }
    node.word = word
  }

  return (text) => {
    const normal = text.normalize('NFKC')
    const symbols = Array.from(normal === '' ? '' : `${separator}${normal.replaceAll(' ', separator)}`)
    // Of each place: the likeliest way there, and the word that ends it.
    const best = new Float64Array(symbols.length + 1)
    const words = new Int32Array(symbols.length + 1)
    const lengths = new Int32Array(symbols.length + 1)
    const reach = (from: number, to: number, word: number, score: number): void => {
      const sum = (best[from] ?? 0) + score
      if (best[to] !== 0 && sum < (best[to] ?? 0)) return
      best[to] = sum
      words[to] = word
      lengths[to] = to - from
    }
    for (let from = 0; from < symbols.length; from++) {
      let isKnown = false
      let node = root.next.get(symbols[from] ?? '')
      for (let to = from + 1; node !== undefined; to++) {
        if (node.word !== undefined) {
          isKnown = true
          reach(from, to, node.word, vocabulary[node.word]?.[1] ?? 0)
        }
        node = to < symbols.length ? node.next.get(symbols[to] ?? '') : undefined
      }
      if (!isKnown) reach(from, from + 1, unknown, 0)
    }
    const found: number[] = []
    for (let at = symbols.length; at > 0; at -= lengths[at] || 1) {
      const word = words[at] ?? unknown
      // Unknown ones in a row are one.
      if (word !== unknown || found.at(-1) !== unknown) found.push(word)
    }
    return found.toReversed()
  }
}
