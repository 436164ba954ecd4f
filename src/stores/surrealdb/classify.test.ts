import { expect, test } from 'vitest'
import { StoreError } from '../../errors.ts'
import { toStoreError } from './classify.ts'

/** As SurrealDB 3.0.2 says them. */
const table: readonly (readonly [message: string, failure: string, code: string])[] = [
  [
    'Transaction conflict: Write conflict, retry the transaction. This transaction can be retried',
    'transient',
    'CONFLICT',
  ],
  ['Database record `songs:1` already exists', 'rejected', 'RECORD_EXISTS'],
  ["Database index `ti` already contains 'c', with record `songs:2`", 'rejected', 'INDEX_EXISTS'],
  [
    "Couldn't coerce value for field `title` of `songs:51`: Expected `string` but found `NONE`",
    'rejected',
    'FIELD_NONE',
  ],
  [
    "Couldn't coerce value for field `title` of `songs:5`: Expected `string` but found `5`",
    'rejected',
    'FIELD_TYPE',
  ],
  [
    'Found -1 for field `plays`, with record `songs:50`, but field must conform to: $value >= 0',
    'rejected',
    'FIELD_ASSERT',
  ],
  ["Found field 'colour', but no such field exists for table 'songs'", 'rejected', 'FIELD_UNKNOWN'],
  ["The table 'nope' does not exist", 'rejected', 'TABLE_UNKNOWN'],
  ['Parse error: Unexpected end of file, expected an expression', 'rejected', 'PARSE_ERROR'],
  ['Error while processing event no: An error occurred: told to refuse', 'rejected', 'THROWN'],
  [
    "There was a problem with the key-value store: Couldn't write to a read only transaction",
    'rejected',
    'READ_ONLY',
  ],
  ['There was a problem with the key-value store: IO error', 'transient', 'STORAGE'],
  ['something that nobody has seen yet', 'rejected', 'REFUSED'],
]

test.each(table)('%s', (message, failure, storeCode) => {
  expect(toStoreError(new Error(message))).toMatchObject({ failure, storeCode, outcome: 'not-committed' })
})

test('what a lost connection leaves open, nobody knows; what a conflict refuses was not committed', () => {
  const lost = toStoreError(new Error('The connection was closed'), 'unknown')
  expect(lost).toMatchObject({ failure: 'transient', storeCode: 'CONNECTION_LOST', outcome: 'unknown' })
  const conflict = toStoreError(new Error('This transaction can be retried'), 'unknown')
  expect(conflict).toMatchObject({ outcome: 'not-committed' })
  const known = new StoreError('chain', 'x')
  expect(toStoreError(known)).toBe(known)
})
