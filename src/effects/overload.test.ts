import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { isOverload, retryAfterMs } from './overload.ts'

class APIConnectionTimeoutError extends Error {}
const named = (name: string): Error => Object.assign(new Error('x'), { name })
const coded = (code: string): Error => Object.assign(new Error('x'), { code })
const ring: { cause?: unknown } = {}
ring.cause = ring

test.for<[string, unknown, boolean]>([
  ['408', { status: 408 }, true],
  ['429', { status: 429 }, true],
  ['500', { statusCode: 500 }, true],
  ['502 in the response', { response: { status: 502 } }, true],
  ['503', { status: 503 }, true],
  ['529', { status: 529 }, true],
  ['429 in metadata', { $metadata: { httpStatusCode: 429 } }, true],
  [
    'throttling that comes with 400',
    { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } },
    true,
  ],
  ['a timeout of the Fetch API', new DOMException('x', 'TimeoutError'), true],
  ['a timeout by its class alone', new APIConnectionTimeoutError('x'), true],
  ['a timeout by its name', named('HeadersTimeoutError'), true],
  ['ETIMEDOUT', coded('ETIMEDOUT'), true],
  ['ECONNRESET', coded('ECONNRESET'), true],
  ['ECONNREFUSED', coded('ECONNREFUSED'), true],
  ['EMFILE', coded('EMFILE'), true],
  ['ENOTFOUND', coded('ENOTFOUND'), true],
  ['EAI_AGAIN', coded('EAI_AGAIN'), true],
  ['EHOSTUNREACH', coded('EHOSTUNREACH'), true],
  ['EHOSTDOWN', coded('EHOSTDOWN'), true],
  ['ENETUNREACH', coded('ENETUNREACH'), true],
  ['ENETDOWN', coded('ENETDOWN'), true],
  ['a name that fetch does not find', new TypeError('fetch failed', { cause: coded('ENOTFOUND') }), true],
  ['a cause', new TypeError('fetch failed', { cause: coded('UND_ERR_SOCKET') }), true],
  ['a cause of a cause', new Error('x', { cause: new Error('x', { cause: { status: 503 } }) }), true],
  ['an abort for time', Object.assign(named('AbortError'), { cause: named('TimeoutError') }), true],
  ['an abort', named('AbortError'), false],
  ['200', { status: 200 }, false],
  ['400', { status: 400 }, false],
  ['404', { status: 404 }, false],
  ['501', { status: 501 }, false],
  ['505', { status: 505 }, false],
  ['600', { status: 600 }, false],
  ['a status around another', { status: 400, cause: { status: 503 } }, false],
  ['a status that is text', { status: 'active' }, false],
  ['a certificate', new TypeError('fetch failed', { cause: coded('CERT_HAS_EXPIRED') }), false],
  ['another error', new Error('x'), false],
  ['text', 'overload 503', false],
  ['null', null, false],
  ['nothing', undefined, false],
  ['causes in a ring', ring, false],
])('%s', ([, error, expected]) => {
  expect(isOverload({ error })).toBe(expected)
})

const now = new FakeRuntime()
now.nowMs = Date.parse('2024-05-01T10:00:00Z')

test.for<[string, unknown, number | undefined]>([
  ['a number of ms', { retryAfterMs: 250 }, 250],
  ['seconds', { headers: { 'Retry-After': '3' } }, 3_000],
  ['seconds as a number', { headers: { 'retry-after': 3 } }, 3_000],
  ['headers of the Fetch API', { headers: new Headers({ 'Retry-After': '7' }) }, 7_000],
  ['headers of the response', { response: { headers: { 'retry-after': '2' } } }, 2_000],
  ['ms in the headers', { headers: { 'retry-after-ms': '1500', 'retry-after': '2' } }, 1_500],
  ['a date', { headers: { 'retry-after': 'Wed, 01 May 2024 10:00:30 GMT' } }, 30_000],
  ['a date that is over', { headers: { 'retry-after': 'Wed, 01 May 2024 09:00:00 GMT' } }, 0],
  ['a cause', new Error('x', { cause: { retryAfterMs: 5 } }), 5],
  ['a year', { headers: { 'retry-after': '31536000' } }, 86_400_000],
  ['less than nothing', { retryAfterMs: -5 }, 0],
  ['nonsense', { headers: { 'retry-after': 'soon' } }, undefined],
  ['not a number', { retryAfterMs: NaN }, undefined],
  ['headers without it', { headers: {} }, undefined],
  ['another error', new Error('x'), undefined],
  ['null', null, undefined],
  ['causes in a ring', ring, undefined],
])('retry after: %s', ([, error, expected]) => {
  expect(retryAfterMs({ error }, now)).toBe(expected)
})

test('a handler that says so itself knows better than the error', () => {
  const error = { status: 503, headers: { 'retry-after': '3' } }
  expect(isOverload({ error, isOverload: false })).toBe(false)
  expect(isOverload({ error: undefined, isOverload: true })).toBe(true)
  expect(retryAfterMs({ error, afterMs: 20 }, now)).toBe(20)
  expect(retryAfterMs({ error, afterMs: NaN }, now)).toBe(3_000)
})
