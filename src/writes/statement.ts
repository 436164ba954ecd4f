/**
 * Decides whether a text is one data-changing SQL statement, so that two statements, BEGIN or PRAGMA are
 * refused at the call.
 */
import type { Dialect } from '../contracts/store.ts'
import { InvalidOperationError } from '../errors.ts'
import { piecesOf } from '../sql/text.ts'

const allowedInSql = new Set(['INSERT', 'REPLACE', 'UPDATE', 'DELETE', 'MERGE', 'WITH'])
const allowedInSurrealQl = new Set(['CREATE', 'INSERT', 'RELATE', 'UPDATE', 'UPSERT', 'DELETE'])

/** @throws InvalidOperationError `BAD_STATEMENT` */
export function checkStatement(sql: string, dialect: Dialect): void {
  let first: string | undefined
  let hasEnded = false
  for (const piece of piecesOf(sql, dialect)) {
    if (piece === ';') {
      hasEnded = true
      continue
    }
    if (hasEnded)
      throw refuse(
        sql,
        'holds more than one statement',
        'Call `db.write()` once for each, or use `db.atomic()`.',
      )
    if (piece.startsWith('/*'))
      throw refuse(sql, 'holds a comment that the database would run', 'Write it without.')
    first ??= piece
  }
  if (first === undefined) throw refuse(sql, 'is empty', 'Write an INSERT, UPDATE or DELETE.')
  const allowed = dialect === 'surrealql' ? allowedInSurrealQl : allowedInSql
  if (!allowed.has(first.toUpperCase())) {
    const names = [...allowed].join(', ').replace(/, (\w+)$/, ' and $1')
    throw refuse(
      sql,
      `begins with ${first}`,
      `Only ${names} are written; read with \`db.read()\`, and run schema changes on a connection of your own.`,
    )
  }
}

function refuse(sql: string, what: string, hint: string): InvalidOperationError {
  const shown = sql.length > 80 ? `${sql.slice(0, 80)}…` : sql
  return new InvalidOperationError('BAD_STATEMENT', `the statement ${JSON.stringify(shown)} ${what}.`, hint)
}

/** A query as Kysely (`compile()`), Drizzle (`toSQL()`) or a caller writes it. */
export type WriteQuery =
  | { readonly sql: string; readonly parameters: readonly unknown[] }
  | { compile(): { readonly sql: string; readonly parameters: readonly unknown[] } }
  | { toSQL(): { readonly sql: string; readonly params: readonly unknown[] } }

/** @throws InvalidOperationError `INVALID_CALL` */
export function readQuery(query: WriteQuery): { sql: string; parameters: readonly unknown[] } {
  if (typeof query === 'object' && query !== null) {
    if ('compile' in query && typeof query.compile === 'function') return query.compile()
    if ('toSQL' in query && typeof query.toSQL === 'function') {
      const { sql, params } = query.toSQL()
      return { sql, parameters: params }
    }
    if ('sql' in query && typeof query.sql === 'string' && Array.isArray(query.parameters)) return query
  }
  throw new InvalidOperationError(
    'INVALID_CALL',
    'a statement must be a Kysely query, a Drizzle query or { sql, parameters }.',
  )
}
