/**
 * What an error of SurrealDB means. The client tells a kind only, so that most is in the message: those are of
 * SurrealDB 3.0, and `classify.test.ts` holds the table.
 */
import { StoreError, TidemarkError, type Certainty, type StoreFailure } from '../../errors.ts'
import { messageOf } from '../../sql/failure.ts'

interface Meaning {
  readonly failure: StoreFailure
  /** Ours, since SurrealDB has none. */
  readonly code: string
  readonly hint?: string
}

const meanings: readonly (readonly [RegExp, Meaning])[] = [
  [/can be retried|transaction conflict|write conflict/i, { failure: 'transient', code: 'CONFLICT' }],
  [
    /no space left|disk (?:is )?full|quota exceeded/i,
    {
      failure: 'transient',
      code: 'DISK_FULL',
      hint: 'The disk is full; the write is tried again until there is room.',
    },
  ],
  [
    /connection (?:unavailable|was closed|closed|lost|refused|reset)|not connected|terminated|socket/i,
    { failure: 'transient', code: 'CONNECTION_LOST' },
  ],
  [/read only transaction/i, { failure: 'rejected', code: 'READ_ONLY' }],
  [/database record .* already exists/i, { failure: 'rejected', code: 'RECORD_EXISTS' }],
  [/database index .* already contains/i, { failure: 'rejected', code: 'INDEX_EXISTS' }],
  [
    /couldn't coerce value for field .*but found `(?:NONE|NULL)`/i,
    { failure: 'rejected', code: 'FIELD_NONE' },
  ],
  [/couldn't coerce value|expected .* but found/i, { failure: 'rejected', code: 'FIELD_TYPE' }],
  [/but field must conform to/i, { failure: 'rejected', code: 'FIELD_ASSERT' }],
  [/no such field exists|found field/i, { failure: 'rejected', code: 'FIELD_UNKNOWN' }],
  [/the table .* does not exist/i, { failure: 'rejected', code: 'TABLE_UNKNOWN' }],
  [/parse error/i, { failure: 'rejected', code: 'PARSE_ERROR' }],
  [/an error occurred:|while processing event/i, { failure: 'rejected', code: 'THROWN' }],
  [/key-value store|datastore|corrupt/i, { failure: 'transient', code: 'STORAGE' }],
]
const connectionErrors = new Set([
  'CallTerminatedError',
  'ConnectionUnavailableError',
  'HttpConnectionError',
  'ReconnectExhaustionError',
  'ReconnectIterationError',
  'UnexpectedConnectionError',
])

export function meaningOf(error: unknown): Meaning {
  if (error instanceof Error && connectionErrors.has(error.constructor.name))
    return { failure: 'transient', code: 'CONNECTION_LOST' }
  const message = messageOf(error)
  return meanings.find(([pattern]) => pattern.test(message))?.[1] ?? { failure: 'rejected', code: 'REFUSED' }
}

/**
 * Anything that the client throws, as a `StoreError`.
 *
 * @param outcome what a lost connection leaves open
 */
export function toStoreError(error: unknown, outcome: Certainty = 'not-committed'): TidemarkError {
  if (error instanceof TidemarkError) return error
  const { failure, code, hint } = meaningOf(error)
  return new StoreError(failure, `${messageOf(error)} (${code})`, {
    cause: error,
    storeCode: code,
    outcome: code === 'CONNECTION_LOST' || code === 'STORAGE' ? outcome : 'not-committed',
    ...(hint === undefined ? {} : { hint }),
  })
}
