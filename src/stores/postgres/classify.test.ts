import { DatabaseError } from 'pg'
import { expect, test } from 'vitest'
import { asStoreError } from './classify.ts'

interface Case {
  readonly code: string
  readonly severity: string
  readonly is: { readonly failure: string; readonly outcome: string }
}

const unknown = 'unknown'
const certain = 'not-committed'
const cases: readonly Case[] = [
  { code: '23505', severity: 'ERROR', is: { failure: 'rejected', outcome: certain } },
  { code: '40P01', severity: 'ERROR', is: { failure: 'transient', outcome: certain } },
  { code: '57014', severity: 'ERROR', is: { failure: 'transient', outcome: certain } },
  { code: 'XX000', severity: 'ERROR', is: { failure: 'rejected', outcome: certain } },
  { code: 'XX001', severity: 'ERROR', is: { failure: 'fatal', outcome: certain } },
  { code: '57P01', severity: 'FATAL', is: { failure: 'transient', outcome: unknown } },
  { code: '08P01', severity: 'FATAL', is: { failure: 'transient', outcome: unknown } },
  { code: 'XX000', severity: 'PANIC', is: { failure: 'transient', outcome: unknown } },
  { code: 'XX001', severity: 'PANIC', is: { failure: 'fatal', outcome: unknown } },
  // In the server's language.
  { code: '57P01', severity: 'ВАЖНО', is: { failure: 'transient', outcome: unknown } },
  { code: '23505', severity: 'FEHLER', is: { failure: 'rejected', outcome: certain } },
]

test.for(cases)(
  'law 1 · an error $code that is $severity in the middle of COMMIT leaves open what it must',
  ({ code, severity, is }) => {
    const error = Object.assign(new DatabaseError('said the server', 0, 'error'), { code, severity })
    expect(asStoreError(error, 'unknown')).toMatchObject(is)
  },
)
