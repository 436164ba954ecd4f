/**
 * What a person types into a search box, as an expression of FTS5 (https://www.sqlite.org/fts5.html, section 3).
 *
 * Words must all occur; `"a phrase"` in this order; `word*` begins so; `-word` must not occur; `OR` between two: one of
 * them. Everything else is text: what stands between words in the index (`10.0.0.1`, `user_id=7`) becomes a phrase, and
 * nothing that is typed can be a syntax error.
 */
import { LEVELS } from './entry.ts'

/** The columns that a search for words looks into. */
const searched = '{message service attributes}'
const universe = `level : (${LEVELS.join(' OR ')})`

interface Term {
  readonly text: string
  readonly isPrefix: boolean
  readonly isExcluded: boolean
}

/** The expression; undefined when there is no word in the text. */
export function matchOf(text: string): string | undefined {
  const wanted: string[][] = []
  const excluded: string[] = []
  let joins = false
  for (const token of text.replaceAll('\0', ' ').matchAll(/-?"[^"]*"\*?|\S+/g)) {
    if (token[0] === 'OR') {
      joins = wanted.length > 0
      continue
    }
    const term = termOf(token[0])
    if (!isWord(term.text)) continue
    const phrase = phraseOf(term)
    if (term.isExcluded) excluded.push(phrase)
    else if (joins) wanted.at(-1)?.push(phrase)
    else wanted.push([phrase])
    joins = false
  }
  if (wanted.length === 0 && excluded.length === 0) return undefined
  const groups = wanted.map((group) => (group.length === 1 ? group[0] : `(${group.join(' OR ')})`))
  // Something must be there to exclude from; every row has a level.
  const base = groups.length === 0 ? universe : `${searched} : (${groups.join(' AND ')})`
  return excluded.length === 0 ? base : `(${base}) NOT (${searched} : (${excluded.join(' OR ')}))`
}

/** This text, as words in this order, in one column. Undefined when it holds no word. */
export function phraseIn(column: string, text: string): string | undefined {
  return isWord(text) ? `${column} : ${quoted(text.replaceAll('\0', ' '))}` : undefined
}

function termOf(token: string): Term {
  const isExcluded = token.length > 1 && token.startsWith('-')
  const rest = isExcluded ? token.slice(1) : token
  const isPrefix = rest.length > 1 && rest.endsWith('*')
  const bare = isPrefix ? rest.slice(0, -1) : rest
  const isQuoted = bare.length > 1 && bare.startsWith('"') && bare.endsWith('"')
  return { text: isQuoted ? bare.slice(1, -1) : bare, isPrefix, isExcluded }
}

/** The index's tokenizer, unicode61, takes letters, numbers and private use; a phrase of nothing else finds nothing. */
function isWord(text: string): boolean {
  return /[\p{L}\p{N}\p{Co}]/u.test(text)
}

function phraseOf({ text, isPrefix }: Term): string {
  return isPrefix ? `${quoted(text)} *` : quoted(text)
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
