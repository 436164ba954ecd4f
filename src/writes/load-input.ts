/** Checks what comes with a load beside its rows, so that nothing reaches the store which it could not keep. */
import type { Checkpoint, UnreadableInput } from '../contracts/operation.ts'
import { InvalidOperationError } from '../errors.ts'
import { encodeJson } from './values.ts'

/** @throws InvalidOperationError `INVALID_CALL`, `UNBINDABLE_VALUE` */
export function parseCheckpoint(given: { readonly source: string; readonly value: unknown }): Checkpoint {
  const { source, value } = given
  requireText(source, 'the `source` of a checkpoint')
  return { source, value: encodeJson(value, () => 'the checkpoint') }
}

/** @throws InvalidOperationError `INVALID_CALL` */
export function parseUnreadable(
  given: { readonly text: string; readonly error: string } | null,
  table: string,
): UnreadableInput {
  requireText(given?.text, 'the `text` of unreadable input')
  requireText(given?.error, 'the `error` of unreadable input')
  return { table, text: given.text, error: given.error }
}

function requireText(value: unknown, what: string): asserts value is string {
  if (typeof value === 'string') return
  throw new InvalidOperationError('INVALID_CALL', `${what} must be a string, not ${String(value)}.`)
}
