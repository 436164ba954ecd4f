/**
 * Looks into SQL of the user's own, by its text: there is no authorizer but in SQLite. It reads only as
 * much as that takes, and where it cannot be sure it refuses: that costs a statement, letting one through that
 * ends the transaction costs the laws.
 */
import { StoreError } from '../errors.ts'
import { piecesOf } from './text.ts'
import type { SharedDialect } from './dialect.ts'

interface Inspected {
  /** The first word, in capitals. */
  readonly first: string
  readonly isSingle: boolean
  readonly placeholders: number
  /** Some name in it is one of our tables', or could be. */
  readonly namesOurs: boolean
  readonly words: ReadonlySet<string>
}

const reading = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE', 'EXPLAIN', 'SHOW', 'DESC', 'DESCRIBE'])
const writing = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE'])
const changingSchema = new Set([
  'CREATE',
  'ALTER',
  'DROP',
  'TRUNCATE',
  'COMMENT',
  'GRANT',
  'REVOKE',
  'RENAME',
])
/** The other words that statements begin with. What begins with none of them is left to the database to refuse. */
const others = new Set(
  `ABORT ANALYZE ATTACH BACKUP BEGIN BINLOG CACHE CALL CHANGE CHECK CHECKPOINT CHECKSUM CLONE CLOSE CLUSTER
   COMMIT COPY DEALLOCATE DECLARE DETACH DISCARD DO END EXECUTE FETCH FLUSH GET HANDLER HELP IMPORT INSTALL KILL
   LISTEN LOAD LOCK MOVE NOTIFY OPTIMIZE PRAGMA PREPARE PURGE REASSIGN REFRESH REINDEX RELEASE REPACK REPAIR RESET
   RESIGNAL RESTART REVOKE ROLLBACK SAVEPOINT SECURITY SET SHUTDOWN SIGNAL START STOP UNINSTALL UNLISTEN UNLOCK
   USE VACUUM WAIT XA`.split(/\s+/),
)

function inspect({ name }: SharedDialect, sql: string): Inspected {
  let first = ''
  let hasEnded = false
  let isSingle = true
  let placeholders = 0
  let namesOurs = false
  const words = new Set<string>()
  for (const piece of piecesOf(sql, name)) {
    // A comment that is run.
    if (piece.startsWith('/*')) isSingle = false
    if (piece === ';') {
      hasEnded = true
      continue
    }
    if (hasEnded) isSingle = false
    first ||= piece.toUpperCase()
    if (piece === '?') placeholders++
    // A name with U& may be spelt in code points.
    if (/^["`[]?tidemark_/i.test(piece) || /^U&"/i.test(piece)) namesOurs = true
    if (/^[A-Za-z_]/.test(piece)) words.add(piece.toUpperCase())
  }
  return { first, isSingle, placeholders, namesOurs, words }
}

/** @throws StoreError for what is no read; what a read may hide is for the read-only transaction to refuse */
export function checkRead(dialect: SharedDialect, sql: string): void {
  const { first, isSingle } = inspect(dialect, sql)
  if (first === '') throw refuse(dialect.codes.syntax, 'the query is empty')
  if (!isSingle) throw refuse(dialect.codes.denied, 'the query holds more than one statement')
  if (!reading.has(first) && (writing.has(first) || changingSchema.has(first) || others.has(first)))
    throw refuse(dialect.codes.denied, `a read cannot ${first}`)
}

/** What a statement in a transaction does. */
export type Effect = 'reads' | 'writes' | 'changes schema'

/** @throws StoreError for what would end the transaction, or touch the tables that carry the laws */
export function checkInTransaction(dialect: SharedDialect, sql: string): Effect {
  const { first, isSingle, namesOurs } = inspect(dialect, sql)
  if (!isSingle) throw refuse(dialect.codes.denied, 'it holds more than one statement')
  if (others.has(first)) throw refuse(dialect.codes.denied, `a transaction cannot ${first}`)
  if (namesOurs && first !== 'SELECT')
    throw refuse(dialect.codes.denied, 'the tables of Tidemark are written by Tidemark only')
  if (changingSchema.has(first)) return 'changes schema'
  return reading.has(first) && first !== 'WITH' ? 'reads' : 'writes'
}

/** Where a change of the schema commits what stands before it, a transaction is the one or the other. */
export function requireOneEffect(dialect: SharedDialect, before: Effect, now: Effect): void {
  if (!dialect.schemaChangesCommit || before === 'reads' || now === 'reads' || before === now) return
  throw refuse(
    dialect.codes.denied,
    'in this database a change of the schema would commit what was written before it; use a transaction for each',
  )
}

/** @throws StoreError for a statement to be written that is none, or touches the tables that carry the laws */
export function checkWritten(dialect: SharedDialect, sql: string): void {
  const { isSingle, namesOurs, words } = inspect(dialect, sql)
  if (!isSingle) throw refuse(dialect.codes.denied, 'it holds more than one statement')
  if (namesOurs) throw refuse(dialect.codes.denied, 'the tables of Tidemark are written by Tidemark only')
  if (![...writing].some((word) => words.has(word)))
    throw refuse(dialect.codes.syntax, 'the statement changes nothing')
}

/** How many `?` stand for parameters. */
export function placeholdersIn(dialect: SharedDialect, sql: string): number {
  return inspect(dialect, sql).placeholders
}

/** As it can stand in parentheses. */
export function withoutEnd(sql: string): string {
  return sql.replace(/[\s;]+$/, '')
}

function refuse(storeCode: string, message: string): StoreError {
  return new StoreError('rejected', message, { storeCode })
}
