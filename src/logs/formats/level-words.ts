import { levelNamed } from './levels.ts'
import type { KnownLevel } from './levels.ts'

/** A level that was read in the words of a line. */
export interface FoundLevel extends KnownLevel {
  /** The word as it stood there. */
  readonly word: string
  /**
   * Where the message begins if the word stood by itself in front of it; else 0: it is part of the message.
   */
  readonly messageAt: number
}

// prettier-ignore
const WORDS = [
  'TRACE', 'TRC', 'DEBUG', 'DBG', 'INFO', 'INF', 'NOTICE', 'NOTE', 'WARNING', 'WARN', 'WRN', 'ERROR', 'ERR', 'SEVERE', 'FATAL',
  'FTL', 'CRITICAL', 'CRIT', 'ALERT', 'EMERGENCY', 'EMERG', 'PANIC',
]
// In brackets or before a colon a level may be written in any case; by itself in capitals only, since
// "Error opening the file" is prose. LOG is PostgreSQL's word for what the server reports.
const CAPITALS = WORDS.join('|')
const ANY_CASE = WORDS.flatMap((word) => [
  word,
  word.toLowerCase(),
  word.charAt(0) + word.slice(1).toLowerCase(),
]).join('|')

const LEADING = new RegExp(
  String.raw`^\[\s*(?<a>${ANY_CASE})\s*\][\s:|-]*|^<(?<b>${ANY_CASE})>[\s:|-]*|^(?<c>${CAPITALS}|LOG)(?:\s*[:|]\s*|\s+(?:-\s+)?|$)`,
)
const OPENING = new RegExp(String.raw`^(?:[\w./-]+: )?(?<a>${ANY_CASE}):`)
const WITHIN = new RegExp(
  String.raw`[\[<(](?:\w+:)?(?<a>${ANY_CASE})[\])>]|(?<![\w-])(?<b>${CAPITALS}|LOG(?=:))(?![\w-])`,
)

/** A line says its level early; further on, capitals are part of what happened. */
const MAX_SEARCH = 100

/** The level that the words of `text` say, or undefined. */
export function findLevel(text: string): FoundLevel | undefined {
  const leading = LEADING.exec(text)
  if (leading !== null) return found(leading.groups, leading[0].length)
  const opening = OPENING.exec(text)
  if (opening !== null) return found(opening.groups, 0)
  return found(WITHIN.exec(text.length > MAX_SEARCH ? text.slice(0, MAX_SEARCH) : text)?.groups, 0)
}

function found(
  groups: Record<string, string | undefined> | undefined,
  messageAt: number,
): FoundLevel | undefined {
  const word = groups?.['a'] ?? groups?.['b'] ?? groups?.['c']
  const known = word === undefined ? undefined : levelNamed(word)
  return word === undefined || known === undefined ? undefined : { ...known, word, messageAt }
}
