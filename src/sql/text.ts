/**
 * What SQL of the user's own is made of, by its text: as much of each dialect as it takes to find where a statement
 * begins and ends. Quoting and comments are https://www.sqlite.org/lang_expr.html#literal_values_constants_,
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html and
 * https://dev.mysql.com/doc/refman/8.4/en/lexical-structure.html
 */
import type { Dialect } from '../contracts/store.ts'

// A comment, a quoted piece (doubled quotes inside are two pieces in a row), a word, or any one character.
export const sqlPieces: Readonly<Record<Dialect, RegExp>> = {
  sqlite: /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_]\w*|\S/g,
  postgres:
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'[^']*'|[uU]&"[^"]*"|"[^"]*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|[A-Za-z_][\w$]*|\S/g,
  mysql:
    /--(?=\s|$)[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`[^`]*`|[A-Za-z_][\w$]*|\S/g,
}

/** The pieces of a text but its comments. MySQL runs what stands in a comment that begins with `!`: that is a piece. */
export function* piecesOf(sql: string, dialect: Dialect): Generator<string> {
  for (const [piece] of sql.matchAll(sqlPieces[dialect])) {
    const isComment =
      piece.startsWith('--') || piece.startsWith('/*') || (dialect === 'mysql' && piece.startsWith('#'))
    if (!isComment || (dialect === 'mysql' && /^\/\*M?!/.test(piece))) yield piece
  }
}

/** A statement of our own, whose every `?` is a parameter, in the words of its database. */
export function withParameters(sql: string, dialect: Dialect): string {
  if (dialect !== 'postgres') return sql
  let index = 0
  return sql.replaceAll('?', () => `$${++index}`)
}
