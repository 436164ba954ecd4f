/**
 * What node:sqlite does not look at in SQL of the user's own: it runs the first of several statements and forgets the
 * rest, takes a parameter that is not given for NULL, and lets a read begin whatever SQLite may refuse later.
 */
import { StoreError } from '../../errors.ts'
import { piecesOf, sqlPieces } from '../../sql/text.ts'

/** Every word that SQLite begins a statement with and no read does. What begins with none is a syntax error. */
const changing = new Set(
  `ALTER ANALYZE ATTACH BEGIN COMMIT CREATE DELETE DETACH DROP END INSERT PRAGMA REINDEX RELEASE REPLACE ROLLBACK
   SAVEPOINT UPDATE VACUUM`.split(/\s+/),
)

export const readHint = 'Write with `db.write()` or in `db.transaction()`.'

/** @throws StoreError for what is no read; a WITH that writes is for SQLite to refuse */
export function checkRead(sql: string): void {
  for (const piece of piecesOf(sql, 'sqlite')) {
    if (piece === ';' || piece === '(') continue
    const first = piece.toUpperCase()
    if (changing.has(first))
      throw new StoreError('rejected', `a read cannot ${first}`, {
        storeCode: 'SQLITE_AUTH',
        hint:
          first === 'PRAGMA'
            ? 'What a pragma tells, a read selects: `SELECT * FROM pragma_table_info(…)`.'
            : readHint,
      })
    return
  }
}

/**
 * @param prepared as much of the text as SQLite took for a statement
 * @throws StoreError
 */
export function checkSingle(sql: string, prepared: string): void {
  for (const piece of piecesOf(sql.slice(prepared.length), 'sqlite')) {
    if (piece === ';') continue
    throw new StoreError('rejected', 'the text holds more than one statement', {
      storeCode: 'SQLITE_AUTH',
      hint: 'Run them one by one.',
    })
  }
}

// Names go on where `\w` ends: `a$b` is one, and so is `é`.
const name = String.raw`[\w$\u0080-\uffff]`
const tokens = new RegExp(
  String.raw`\?\d*|[$@:#](?:${name}|::)+|[A-Za-z_\u0080-\uffff]${name}*|${sqlPieces.sqlite.source}`,
  'g',
)

/**
 * How many values a statement takes, by https://www.sqlite.org/lang_expr.html#parameters
 *
 * @throws StoreError for a parameter with a name: node:sqlite gives it no value when values come in a row
 */
export function countParameters(sql: string): number {
  let highest = 0
  for (const [token] of sql.matchAll(tokens)) {
    if (token.startsWith('?'))
      highest = Math.max(highest, token === '?' ? highest + 1 : Number(token.slice(1)))
    else if (token.length > 1 && /^[$@:#]/.test(token))
      throw new StoreError(
        'rejected',
        `the parameter ${token} has a name, and values are given by position`,
        {
          storeCode: 'SQLITE_RANGE',
          hint: 'Write `?` or `?1` instead.',
        },
      )
  }
  return highest
}

/** @throws StoreError */
export function checkParameters(taken: number, given: number): void {
  if (taken === given) return
  throw new StoreError(
    'rejected',
    `the statement takes ${taken} ${taken === 1 ? 'parameter' : 'parameters'}, it was given ${given}`,
    {
      storeCode: 'SQLITE_RANGE',
    },
  )
}
