/**
 * Finds the words of a search in a text, to mark them. The index keeps no text, so this is the page's own reading of
 * the search syntax: words, "a phrase", prefix*, OR, and -not, which marks nothing.
 */

export interface Part {
  readonly text: string
  readonly isMatch: boolean
}

const TERM = /(-?)"([^"]*)"(\*?)|(\S+)/g

/** One expression for all that is searched for, or none. */
export function searchPattern(search: string): RegExp | undefined {
  const patterns = [...search.matchAll(TERM)].flatMap(([, not, phrase, star, word]) => {
    if (phrase !== undefined) return not === '-' ? [] : [wordsPattern(phrase, star === '*')]
    if (word === undefined || word === 'OR' || word.startsWith('-')) return []
    return [wordsPattern(word.replace(/\*+$/, ''), word.endsWith('*'))]
  })
  const useful = patterns.filter((pattern) => pattern !== '')
  if (useful.length === 0) return undefined
  return new RegExp(useful.join('|'), 'giu')
}

/** Words that stand behind each other with anything but letters and digits between, as the index has them. */
function wordsPattern(text: string, isPrefix: boolean): string {
  const words = withoutAccents(text).match(/[\p{L}\p{N}]+/gu)
  if (words === null) return ''
  const end = isPrefix ? '[\\p{L}\\p{N}]*' : '(?![\\p{L}\\p{N}])'
  return `(?<![\\p{L}\\p{N}])${words.join('[^\\p{L}\\p{N}]+')}${end}`
}

/** The text in parts, in order. Accents do not matter, as in the index. */
export function markMatches(text: string, pattern: RegExp | undefined): Part[] {
  if (pattern === undefined) return [{ text, isMatch: false }]
  const plain = withoutAccents(text)
  const parts: Part[] = []
  let end = 0
  for (const { 0: match, index } of plain.matchAll(pattern)) {
    if (match === '') continue
    if (index > end) parts.push({ text: text.slice(end, index), isMatch: false })
    end = index + match.length
    parts.push({ text: text.slice(index, end), isMatch: true })
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), isMatch: false })
  return parts
}

/** Letter for letter, so that places in the result are places in the text. */
function withoutAccents(text: string): string {
  if (/^[\u0020-\u007E]*$/.test(text)) return text
  return text.replaceAll(/[\u00C0-\u024F]/g, (letter) => letter.normalize('NFD').charAt(0))
}
