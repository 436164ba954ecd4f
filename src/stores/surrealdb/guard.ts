/**
 * Looks into SurrealQL of the user's own, by its text. A statement that reads is run by SurrealDB in a transaction that
 * can write nothing, unless something in it may write: so whatever may is refused here.
 */
import type { Run } from '../../contracts/operation.ts'
import type { SqlQuery } from '../../contracts/store.ts'
import { StoreError } from '../../errors.ts'
import { piecesOf, placedPieces } from '../../sql/text.ts'

const writing = new Set(['CREATE', 'INSERT', 'RELATE', 'UPDATE', 'UPSERT', 'DELETE'])
const changingSchema = new Set(['ACCESS', 'ALTER', 'DEFINE', 'REBUILD', 'REMOVE'])
const controlling = new Set(['BEGIN', 'CANCEL', 'COMMIT', 'KILL', 'LIVE', 'OPTION', 'SLEEP', 'USE'])
const reading = new Set(['EXPLAIN', 'FOR', 'IF', 'INFO', 'LET', 'RETURN', 'SELECT', 'SHOW', 'THROW'])

/** The function that gives ids, which everybody may call. */
const nextId = 'tidemark_id'

/** As it can stand before something else: without comments and semicolons at its end. */
export function withoutEnd(text: string): string {
  let end = 0
  for (const { piece, at } of placedPieces(text, 'surrealql')) if (piece !== ';') end = at + piece.length
  return text.slice(0, end)
}

interface Inspected {
  /** The first word, in capitals. */
  readonly first: string
  readonly isSingle: boolean
  readonly namesOurs: boolean
  readonly words: ReadonlySet<string>
  /** `$p1`, `$p2`, … that stand in it. */
  readonly parameters: ReadonlySet<string>
}

function inspect(text: string): Inspected {
  const words = new Set<string>()
  const parameters = new Set<string>()
  let first = ''
  let hasEnded = false
  let isSingle = true
  let namesOurs = false
  let depth = 0
  for (const piece of piecesOf(text, 'surrealql')) {
    if (piece === '{') depth++
    if (piece === '}') depth--
    if (piece === ';' && depth === 0) {
      hasEnded = true
      continue
    }
    if (hasEnded) isSingle = false
    first ||= piece.toUpperCase()
    if (/^\$p\d+$/.test(piece)) parameters.add(piece)
    if (/tidemark_/i.test(piece) && piece !== nextId) namesOurs = true
    if (/^[a-z_]/i.test(piece) && !/['"]/.test(piece)) words.add(piece.toUpperCase())
  }
  return { first, isSingle, namesOurs, words, parameters }
}

/** @throws StoreError for what is no read */
export function checkRead({ sql, parameters }: SqlQuery): void {
  const { first, isSingle, words, parameters: named } = inspect(sql)
  if (first === '') throw refuse('PARSE_ERROR', 'the query is empty')
  requireParameters(named, parameters.length)
  if (!isSingle) throw refuse('DENIED', 'the query holds more than one statement')
  for (const word of [...writing, ...changingSchema])
    if (words.has(word)) throw refuse('DENIED', `a read cannot ${word}`)
  if (controlling.has(first)) throw refuse('DENIED', `a read cannot ${first}`)
  if (!reading.has(first)) throw unknown(first)
}

/** @throws StoreError for what would end the transaction, or touch the tables that carry the laws */
export function checkInTransaction({ sql, parameters }: SqlQuery): 'reads' | 'writes' {
  const { first, isSingle, namesOurs, words, parameters: named } = inspect(sql)
  if (!isSingle) throw refuse('DENIED', 'it holds more than one statement')
  if (controlling.has(first)) throw refuse('DENIED', `a transaction cannot ${first}`)
  requireParameters(named, parameters.length)
  if (![reading, writing, changingSchema].some((known) => known.has(first))) throw unknown(first)
  const reads = reading.has(first) && ![...writing, ...changingSchema].some((word) => words.has(word))
  if (namesOurs && !reads) throw refuse('DENIED', 'the tables of Tidemark are written by Tidemark only')
  return reads ? 'reads' : 'writes'
}

/** @throws StoreError when the run is of a statement that is none, or touches the tables that carry the laws */
export function checkStatements({ shape }: Run): void {
  if (shape.kind !== 'statement') return
  const { isSingle, namesOurs, parameters: named } = inspect(shape.sql)
  requireParameters(named, shape.width)
  if (!isSingle) throw refuse('DENIED', 'it holds more than one statement')
  if (namesOurs) throw refuse('DENIED', 'the tables of Tidemark are written by Tidemark only')
}

/** A parameter that was not given would be NONE without a word, and one too many is left out. */
function requireParameters(named: ReadonlySet<string>, given: number): void {
  const isRight = named.size === given && [...named].every((name) => Number(name.slice(2)) <= given)
  if (isRight) return
  const names = [...named].join(', ') || 'none'
  throw refuse('PARAMETERS', `it names ${names} of its parameters $p1, $p2, …, and ${given} were given`)
}

/** SurrealDB would take it for an expression. */
function unknown(first: string): StoreError {
  return refuse('PARSE_ERROR', `syntax: no statement of SurrealQL begins with ${first}`)
}

function refuse(storeCode: string, message: string): StoreError {
  return new StoreError('rejected', message, { storeCode })
}
