/** Numbers as headings have them: 12, XII, twelve, twelfth, and the Latin of old plays. */

const words = [
  ['one', 'first', 'primus', 'prima'],
  ['two', 'second', 'secundus', 'secunda'],
  ['three', 'third', 'tertius', 'tertia'],
  ['four', 'fourth', 'quartus', 'quarta'],
  ['five', 'fifth', 'quintus', 'quinta'],
  ['six', 'sixth', 'sextus', 'sexta'],
  ['seven', 'seventh', 'septimus', 'septima'],
  ['eight', 'eighth', 'octavus', 'octava'],
  ['nine', 'ninth', 'nonus', 'nona'],
  ['ten', 'tenth', 'decimus', 'decima'],
  ['eleven', 'eleventh'],
  ['twelve', 'twelfth'],
]
const byWord = new Map(words.flatMap((names, index) => names.map((name) => [name, index + 1] as const)))

const romanDigits: Readonly<Record<string, number>> = { I: 1, V: 5, X: 10, L: 50, C: 100, D: 500, M: 1000 }
const roman = /^M{0,3}(CM|CD|D?C{0,4})(XC|XL|L?X{0,4})(IX|IV|V?I{0,4})$/i

/** What may stand for a number, for use inside of a pattern. */
export const numeral = `\\d{1,4}|[IVXLC]{1,9}|[ivxlc]{1,9}|${[...byWord.keys()].join('|')}`

/** @returns undefined for what is no number */
export function parseNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text)
  const word = byWord.get(text.toLowerCase())
  if (word !== undefined) return word
  return text !== '' && roman.test(text) ? romanValue(text.toUpperCase()) : undefined
}

function romanValue(text: string): number {
  const digits = Array.from(text, (letter) => romanDigits[letter] ?? 0)
  return digits.reduce((sum, digit, at) => sum + (digit < (digits[at + 1] ?? 0) ? -digit : digit), 0)
}
