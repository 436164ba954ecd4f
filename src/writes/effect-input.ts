/**
 * Effects as a caller gives them, checked and turned into what the outbox keeps.
 *
 * Keeps: law 1 (a snapshot: the payload is JSON text from here on, or a copy in which nothing can change; what is wrong is
 * said before anything is queued).
 */
import type { TableSchema } from '../contracts/schema.ts'
import { InvalidOperationError } from '../errors.ts'
import { isKind, isStorable, kindRule, type EncodedEffect, type EncodedKey } from '../segments.ts'
import { encodePayload } from './effect-payload.ts'
import type { Row } from './encode.ts'

/** Follow-up work to be committed with a write. */
export interface EffectRequest {
  /** Names who does it: see `db.effects.handle()`. */
  readonly kind: string
  /**
   * Effects of one kind and key are delivered one after the other, in the order of their writes. Default: the row's
   * primary key where the write names it, and no order where it does not; null: no order.
   */
  readonly key?: string | number | bigint | null
  /** Anything that JSON can hold. Default null. */
  readonly payload?: unknown
  /** It is delivered so long after its commit, or later, in ms. Later ones of its key wait behind it. Default 0. */
  readonly delayMs?: number
  /**
   * It need not be delivered when a later one of its key that says the same waits beside it, as for a cache that is to
   * hold the newest value. Default false.
   */
  readonly latestOnly?: boolean
}

/** What can be given with a write. */
export interface EffectOptions {
  readonly effects?: readonly EffectRequest[]
}

/** In characters. It is part of an index, and MySQL's take no more. */
const maxKeyLength = 500
/** Ten years. */
const maxDelayMs = 10 * 366 * 24 * 3_600_000

/**
 * @param table the table of the row that the write names, if it names one
 * @param generatedId the id that was given to the row
 * @throws InvalidOperationError `INVALID_CALL`, `UNBINDABLE_VALUE`
 */
export function encodeEffects(
  requests: readonly EffectRequest[],
  table?: TableSchema,
  row?: Row,
  generatedId?: number,
): EncodedEffect[] {
  if (!Array.isArray(requests)) throw invalid('`effects` must be an array of effects')
  const all = requests as readonly EffectRequest[]
  // A list that grows by `push` is made with room for seventeen.
  if (all.length === 1) return [encodeOne(all[0] as EffectRequest, table, row, generatedId)]
  return all.map((request) => encodeOne(request, table, row, generatedId))
}

/**
 * The key that a row's effects have when they name none: its primary key, where the row names it.
 *
 * @throws InvalidOperationError `INVALID_CALL` when it is too long
 */
export function effectKeyOf(table: TableSchema, row: Row, generatedId?: number): EncodedKey {
  const { primaryKey } = table
  if (primaryKey.length === 0) return null
  if (primaryKey.length === 1) return partOfKey(table, row, generatedId, primaryKey[0] as string)
  return keyOfSeveral(table, row, generatedId)
}

function keyOfSeveral(table: TableSchema, row: Row, generatedId: number | undefined): EncodedKey {
  const parts = table.primaryKey.map((column) => partOfKey(table, row, generatedId, column))
  return parts.includes(null) ? null : JSON.stringify(parts.map(String))
}

function partOfKey(
  table: TableSchema,
  row: Row,
  generatedId: number | undefined,
  column: string,
): EncodedKey {
  return keyOf(generatedId !== undefined && column === table.generatedId ? generatedId : row[column])
}

function encodeOne(
  request: EffectRequest,
  table: TableSchema | undefined,
  row: Row | undefined,
  generatedId: number | undefined,
): EncodedEffect {
  if (typeof request !== 'object' || request === null)
    throw invalid(`an effect must be an object, not ${String(request)}`)
  requireKnownNames(request)
  const { kind, key, payload = null, delayMs = 0, latestOnly = false } = request
  if (kind !== lastKind) lastKind = requireKind(kind)
  if (!Number.isFinite(delayMs) || delayMs < 0 || delayMs > maxDelayMs)
    throw invalid(`\`delayMs\` of an effect must be from 0 to ${maxDelayMs}, not ${String(delayMs)}`)
  if (typeof latestOnly !== 'boolean') throw invalid('`latestOnly` of an effect must be true or false')
  let encodedKey: EncodedKey = null
  if (key !== undefined) encodedKey = requireKey(key)
  else if (table !== undefined && row !== undefined) encodedKey = effectKeyOf(table, row, generatedId)
  if (latestOnly && encodedKey === null) throw invalid('an effect with `latestOnly` needs a key')
  return {
    kind,
    key: encodedKey,
    payload: encodePayload(kind, payload),
    delayMs: Math.ceil(delayMs),
    isLatestOnly: latestOnly,
  }
}

function requireKnownNames(request: object): void {
  for (const name in request)
    switch (name) {
      case 'kind':
      case 'key':
      case 'payload':
      case 'delayMs':
      case 'latestOnly':
        continue
      default:
        throw invalid(`an effect has no "${name}" (it has kind, key, payload, delayMs, latestOnly)`)
    }
}

/** Nearly every effect is of the kind of the one before it, which was found to be right. */
let lastKind: string | undefined

/** @throws InvalidOperationError `INVALID_CALL` */
function requireKind(kind: unknown): string {
  if (isKind(kind)) return kind
  throw invalid(`the \`kind\` of an effect ${kindRule}, not ${String(kind)}`)
}

function requireKey(key: unknown): EncodedKey {
  if (key !== null && typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
    throw invalid(`the \`key\` of an effect must be a text or a number, not ${typeof key}`)
  return keyOf(key)
}

/** Numbers and texts that look the same are the same key. */
function keyOf(key: unknown): EncodedKey {
  if (key === undefined || key === null) return null
  // What JSON has no number for is a text.
  if (typeof key === 'number') return Number.isFinite(key) ? key : String(key)
  const isText = typeof key === 'string' || typeof key === 'bigint'
  const text = isText ? String(key) : key instanceof Uint8Array ? hexOf(key) : (JSON.stringify(key) ?? '')
  if (text.length <= maxKeyLength && isStorable(text)) return text
  throw invalid(`the key of an effect must be text of at most ${maxKeyLength} characters, without NUL`)
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function invalid(problem: string): InvalidOperationError {
  return new InvalidOperationError('INVALID_CALL', `${problem}.`)
}
