/** What goes wrong, as a client is told it. */
import { expect, test } from 'vitest'
import {
  EngineStoppedError,
  InvalidOperationError,
  QueueFullError,
  ReceiptTimeoutError,
  StaleReadError,
  StoreError,
  TidemarkError,
  WriteRejectedError,
  type ErrorCode,
} from '../../src/errors.ts'
import { failureOf, mannerOf } from '../../src/server/problem.ts'
import {
  PartialFailure,
  REQUEST_STATUS,
  RequestError,
  type RequestCode,
} from '../../src/server/request-error.ts'

/** Every code of the library; one that is missing here does not type-check. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  BAD_STATEMENT: 422,
  BOOKMARK_EXPIRED: 410,
  CANNOT_LISTEN: 503,
  CLOSED: 503,
  DEADLINE_PASSED: 503,
  DEAD_LETTERED: 409,
  EFFECTS_PENDING: 503,
  EFFECT_REFUSED: 503,
  EMPTY_OPERATION: 422,
  FENCED: 503,
  GAVE_UP: 503,
  HISTORY_LOST: 503,
  INVALID_BOOKMARK: 400,
  INVALID_CALL: 422,
  INVALID_OPTIONS: 422,
  INVALID_SIGNATURE: 401,
  LIVE_ENDED: 503,
  LIVE_FULL: 503,
  LIVE_HELD: 409,
  LIVE_REJECTED: 503,
  MISSING_KEY: 422,
  NOT_REDRIVABLE: 422,
  NOT_SUPPORTED: 501,
  POSITION_LOST: 410,
  PROCESSOR_FAILED: 503,
  QUERY_BUSY: 503,
  QUERY_REFUSED: 422,
  QUERY_STOPPED: 422,
  QUEUE_FULL: 429,
  RECEIPT_TIMEOUT: 503,
  SESSION_BEHIND: 503,
  STALE_READ: 503,
  STORE_FAILED: 503,
  TARGET_FAILED: 503,
  TOO_LARGE: 413,
  TRANSACTION_FAILED: 503,
  UNBINDABLE_VALUE: 422,
  UNKNOWN_COLUMN: 422,
  UNKNOWN_TABLE: 404,
  WRITE_REJECTED: 409,
}

test.each(Object.entries(statuses))('%s is told with %i', (code, status) => {
  expect(mannerOf(code as ErrorCode)).toMatchObject({ status, title: expect.stringMatching(/./) })
  const { problem } = failureOf(new TidemarkError(code as ErrorCode, 'it is so'), 'id')
  expect(problem).toMatchObject({
    type: `urn:tidemark:error:${code}`,
    status,
    code,
    title: expect.any(String),
  })
})

test.each(Object.entries(REQUEST_STATUS))('%s is told with %i', (code, status) => {
  const { problem, isOurs } = failureOf(new RequestError(code as RequestCode, 'It is so.'), 'id')
  expect(problem).toMatchObject({ status, code, detail: 'It is so.', title: expect.stringMatching(/./) })
  expect(isOurs).toBe(false)
})

const secret = '/home/somebody/app.db'

test.each([
  [
    'a store that cannot be reached',
    new StoreError('transient', `cannot open "${secret}": locked`, { storeCode: 'SQLITE_BUSY' }),
  ],
  [
    'a store that is broken',
    new StoreError('fatal', `"${secret}" is malformed`, { hint: `restore ${secret}` }),
  ],
  ['a query that the store refuses', new StoreError('rejected', `near "${secret}"`)],
  ['a stopped engine', new EngineStoppedError('HISTORY_LOST', `${secret} went back`, { hint: secret })],
  ['a fault of ours', new Error(`ENOENT ${secret}`)],
  ['something that is no error', secret],
])('%s is told without paths, and written down whole', (_, error) => {
  const { problem, isOurs } = failureOf(error, 'id-of-it')
  expect(JSON.stringify(problem)).not.toContain(secret)
  const isTheirs = error instanceof StoreError && error.failure === 'rejected'
  expect({ isOurs, incident: problem.incident }).toEqual({
    isOurs: !isTheirs,
    incident: isTheirs ? undefined : 'id-of-it',
  })
})

test('what the client did itself is told in full', () => {
  const { problem } = failureOf(
    new InvalidOperationError('UNKNOWN_COLUMN', 'no column "colour" in table "files".'),
    '',
  )
  expect(problem.detail).toBe('No column "colour" in table "files".')
  const rejected = failureOf(
    new WriteRejectedError('UNIQUE constraint failed', 'SQLITE_CONSTRAINT_UNIQUE', 7),
    '',
  )
  expect(rejected.problem).toMatchObject({ deadLetter: 7, storeCode: 'SQLITE_CONSTRAINT_UNIQUE' })
})

test('when to come again is said in seconds, and never too early', () => {
  const full = failureOf(new QueueFullError('full', 1_200), '')
  expect({ header: full.headers['retry-after'], ms: full.problem.retryAfterMs }).toEqual({
    header: '2',
    ms: 1_200,
  })
  expect(failureOf(new StaleReadError('late', 50), '').headers['retry-after']).toBe('1')
  // To send a write again that is only slow would write it twice.
  expect(failureOf(new ReceiptTimeoutError('pending'), '').headers['retry-after']).toBeUndefined()
})

test('a failure half-way tells what was accepted before it', () => {
  const { problem, headers } = failureOf(
    new PartialFailure(new QueueFullError('full', 1_000), { accepted: 5, lines: 6 }),
    '',
  )
  expect(problem).toMatchObject({
    status: 429,
    code: 'QUEUE_FULL',
    accepted: 5,
    lines: 6,
    retryAfterMs: 1_000,
  })
  expect(headers['retry-after']).toBe('1')
})
