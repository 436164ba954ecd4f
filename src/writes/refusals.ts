/** Why a call is refused, in words for the one who made it. */
import { InvalidOperationError, NotSupportedError } from '../errors.ts'

export function tooLarge(bytes: number, maxBytes: number): InvalidOperationError {
  return new InvalidOperationError(
    'TOO_LARGE',
    `one operation of about ${bytes} bytes is over \`batch.maxBytes\` (${maxBytes}; a character counts as two).`,
    'Raise `batch.maxBytes`, or keep large values elsewhere.',
  )
}

export function noOutbox(): NotSupportedError {
  return new NotSupportedError(
    'this store keeps no effects. Nothing was queued.',
    'Open the database with the SQLite or the PostgreSQL store.',
  )
}
