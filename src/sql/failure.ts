/** Anything that a driver, or Kysely, throws, as a `StoreError`. */
import { StoreError, TidemarkError, unprefixed, type Certainty } from '../errors.ts'
import type { Failure, SharedDialect } from './dialect.ts'

/** The network's own errors: every driver passes them on. */
const lostConnection = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_SOCKET_CLOSED',
  'ETIMEDOUT',
])
const lostMessage =
  /connection (?:terminated|timeout|lost|is closed|was closed)|in closed state|timeout exceeded|not queryable|connection has been discarded/i
const destroyedMessage =
  /already been destroyed|already closed|Pool is closed|PGlite is closed|pool after calling end/i

/** What any driver's error means that is not its database's. */
export function driverFailure(error: unknown): Failure | undefined {
  const message = error instanceof Error ? error.message : String(error)
  const code = codeOf(error)
  if (destroyedMessage.test(message)) {
    const hint = 'The Kysely instance was destroyed before the engine was closed.'
    return { failure: 'fatal', code: code ?? 'DESTROYED', isViolation: false, hint }
  }
  if (lostConnection.has(code ?? '') || lostMessage.test(message))
    return { failure: 'transient', code: code ?? 'CONNECTION_LOST', isViolation: false }
  return undefined
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** @param outcome what an error that comes of a lost connection leaves open */
export function toStoreError(
  dialect: SharedDialect,
  error: unknown,
  outcome: Certainty = 'not-committed',
): TidemarkError {
  if (error instanceof TidemarkError) return error
  const { failure, code, hint } = dialect.classify(error)
  return new StoreError(failure, `${messageOf(error)} (${code})`, {
    cause: error,
    storeCode: code,
    outcome: failure === 'transient' ? outcome : 'not-committed',
    ...(hint === undefined ? {} : { hint }),
  })
}

/** That nothing can be written is a read's own fault, not the database's. @param readOnlyCode by which it says so */
export function asRead(error: TidemarkError, readOnlyCode: string): TidemarkError {
  if (!(error instanceof StoreError) || error.storeCode !== readOnlyCode) return error
  const { message, cause, storeCode } = error
  return new StoreError('rejected', unprefixed(message), { cause, storeCode })
}

/** As a text column of any database can hold it. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  // Of a name with several addresses, each of which was tried.
  if (message === '' && error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return message.toWellFormed().replaceAll('\u0000', '\\0')
}
