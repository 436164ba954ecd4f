/**
 * What SQL of the user's own is made of, by its text: as much of each dialect as it takes to find where a statement
 * begins and ends. Quoting and comments are https://www.sqlite.org/lang_expr.html#literal_values_constants_,
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html and
 * https://dev.mysql.com/doc/refman/8.4/en/lexical-structure.html and
 * https://surrealdb.com/docs/surrealql/statements (strings may have a letter before them and `\\` inside; names stand in
 * backticks or ⟨…⟩; a parameter is a `$` and a name).
 */
import type { Dialect, SqlQuery } from '../contracts/store.ts'

// A comment, a quoted piece (doubled quotes inside are two pieces in a row), a word, or any one character.
export const sqlPieces: Readonly<Record<Dialect, RegExp>> = {
  sqlite: /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_]\w*|\S/g,
  postgres:
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'[^']*'|[uU]&"[^"]*"|"[^"]*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|[A-Za-z_][\w$]*|\S/g,
  mysql:
    /--(?=\s|$)[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`[^`]*`|[A-Za-z_][\w$]*|\S/g,
  surrealql:
    /--[^\n]*|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[a-z]?'(?:[^'\\]|\\[\s\S])*'|[a-z]?"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|⟨[^⟩]*⟩|\$?[A-Za-z_]\w*|\S/g,
}

/** The pieces of a text but its comments. MySQL runs what stands in a comment that begins with `!`: that is a piece. */
export function* piecesOf(sql: string, dialect: Dialect): Generator<string> {
  for (const { piece } of placedPieces(sql, dialect)) yield piece
}

/** The same, and where each begins. */
export function* placedPieces(
  sql: string,
  dialect: Dialect,
): Generator<{ readonly piece: string; readonly at: number }> {
  for (const { 0: piece, index: at } of sql.matchAll(sqlPieces[dialect]))
    if (!isComment(piece, dialect) || (dialect === 'mysql' && /^\/\*M?!/.test(piece))) yield { piece, at }
}

function isComment(piece: string, dialect: Dialect): boolean {
  if (piece.startsWith('--') || piece.startsWith('/*')) return true
  if (piece.startsWith('#')) return dialect === 'mysql' || dialect === 'surrealql'
  return piece.startsWith('//') && dialect === 'surrealql'
}

/** A statement of our own, in SQL; and in SurrealQL where that says it in other words. Every `?` is a parameter. */
export type Own = string | { readonly sql: string; readonly surrealql: string }

export function wordsOf(own: Own, dialect: Dialect): string {
  if (typeof own === 'string') return own
  return dialect === 'surrealql' ? own.surrealql : own.sql
}

/** A statement of our own in the words of its database. In one that names what is not ours, a `?` may be of a name. */
export function withParameters(own: Own, dialect: Dialect): string {
  const text = wordsOf(own, dialect)
  if (dialect !== 'postgres' && dialect !== 'surrealql') return text
  let index = 0
  return text.replaceAll('?', () => parameterOf(++index, dialect))
}

/** How the `index`-th parameter (from 1) of a statement is written. SurrealQL has names alone: ours are p1, p2, … */
export function parameterOf(index: number, dialect: Dialect): string {
  if (dialect === 'surrealql') return `$p${index}`
  return dialect === 'postgres' ? `$${index}` : '?'
}

/** Reads next to nothing, in whatever words: for what a snapshot says beside it. */
export const nothing: SqlQuery = { sql: 'SELECT id FROM tidemark_database', parameters: [] }

/** A name as the database has it, whatever is in it. */
export function quoted(name: string, dialect: Dialect): string {
  if (dialect === 'surrealql') return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
  return dialect === 'mysql' ? `\`${name.replaceAll('`', '``')}\`` : `"${name.replaceAll('"', '""')}"`
}

/** All fields of a record of SurrealDB: its id says its key once more where fields of its own do. */
export function allFieldsOf(keyColumns: readonly string[]): string {
  return keyColumns.includes('id') ? '*' : '* OMIT id'
}

/** A record of SurrealDB by the first parameters, as many as its key has columns. */
export function recordOf(table: string, keyColumns: number): string {
  const key = Array.from({ length: keyColumns }, (_, index) => parameterOf(index + 1, 'surrealql'))
  return `type::record(${JSON.stringify(table)}, ${key.length === 1 ? key[0] : `[${key.join(', ')}]`})`
}
