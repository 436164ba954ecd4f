/**
 * Reads from a target's error whether the target cannot keep up, or is not there, and when it wants to be asked again.
 *
 * Owns: the table of what counts as overload. Keeps: nothing of the laws depends on it; a handler that knows better says
 * `isOverload` and `afterMs` itself. It breaks where a client hides what its target said: then the error counts as one
 * that says nothing about load, and the limit stays.
 *
 * | sign | why |
 * |---|---|
 * | 408, `…TimeoutError`, ETIMEDOUT and its kin | what takes too long most often waits in a queue |
 * | 429 and AWS's names for it | the target says so |
 * | 5xx but 501 and 505 | it fails or is shielded by its proxy; those two say that it will never do this |
 * | ECONNRESET, EPIPE, UND_ERR_SOCKET | servers and proxies without room cut connections; a false alarm costs one step |
 * | ECONNREFUSED | nobody accepts, or the line is full: it comes back cold, and is met with one delivery at a time |
 * | ENOTFOUND, EHOSTUNREACH, ENETDOWN and kin | no way there: as ECONNREFUSED, though fewer at once mend no network |
 * | EMFILE, ENFILE | too many of our own connections; fewer deliveries at once need fewer |
 * | AbortError | no sign: closing aborts as well. Whoever aborts for time gives a `TimeoutError` as reason |
 * | other 4xx, certificates | wrong, however few are on their way, until a person mends it |
 *
 * All of it counts as a refusal for `Outage` too, and for the limiter: one list instead of two. That the limit falls while
 * nobody is there costs nothing, since it is asked with one delivery at a time anyway. The wrong host of one effect, met
 * where others are delivered, costs a step of the limit each time that it is tried, as its 503 would.
 */
import type { EffectRetry } from '../contracts/effect.ts'
import type { Runtime } from '../contracts/runtime.ts'
import { isOverloadStatus, retryAfterMsOf } from '../http-load.ts'

const overloadCodes = new Set<unknown>([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  // Clients of the browser's kind say this after their timeout.
  'ECONNABORTED',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'ECONNREFUSED',
  // No name, or nobody who knows names.
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EMFILE',
  'ENFILE',
])

const overloadNames = /TimeoutError$|^(?:Throttling(?:Exception)?|TooManyRequestsException|SlowDown)$/

/** A retry that a handler returned; what it threw is an error alone. */
type Failure = Omit<EffectRetry, 'kind'>

/** Causes may form a ring. */
const maxDepth = 5
/** Nobody is put off for longer: a date may be wrong, and asking too early costs one attempt. */
const maxRetryAfterMs = 24 * 3_600_000

/** What the handler says, else the outermost error that says anything: whoever wrapped another knew it. */
export function isOverload({ error, isOverload: told }: Failure): boolean {
  if (told !== undefined) return told
  for (const one of withCauses(error)) {
    const status = statusOf(one)
    if (overloadNames.test(nameOf(one))) return true
    if (status !== undefined) return isOverloadStatus(status)
    if (overloadCodes.has(one['code'])) return true
  }
  return false
}

/** From now on: what the handler says, else what the error carries as `retryAfterMs` or in the headers of the answer. */
export function retryAfterMs(
  { error, afterMs }: Failure,
  runtime: Pick<Runtime, 'wallMs'>,
): number | undefined {
  let waitMs = numberOf(afterMs)
  for (const one of withCauses(error)) {
    waitMs ??= numberOf(one['retryAfterMs']) ?? waitOf(one, runtime) ?? waitOf(one['response'], runtime)
  }
  return waitMs === undefined ? undefined : Math.min(maxRetryAfterMs, Math.max(0, waitMs))
}

type Fields = Readonly<Record<string, unknown>>

function* withCauses(error: unknown): Generator<Fields> {
  let one = error
  for (let depth = 0; depth < maxDepth && isObject(one); depth++) {
    yield one
    one = one['cause']
  }
}

function statusOf(error: Fields): number | undefined {
  const { status, statusCode, response, $metadata } = error
  return (
    numberOf(status) ??
    numberOf(statusCode) ??
    (isObject(response) ? numberOf(response['status']) : undefined) ??
    (isObject($metadata) ? numberOf($metadata['httpStatusCode']) : undefined)
  )
}

/** Some clients tell their errors apart by class alone. */
function nameOf({ name, constructor }: Fields): string {
  if (typeof name === 'string' && name !== 'Error') return name
  return typeof constructor === 'function' ? constructor.name : ''
}

function waitOf(answer: unknown, runtime: Pick<Runtime, 'wallMs'>): number | undefined {
  if (!isObject(answer) || !isObject(answer['headers'])) return undefined
  const inMs = Number(header(answer['headers'], 'retry-after-ms') ?? NaN)
  if (Number.isFinite(inMs)) return inMs
  const text = header(answer['headers'], 'retry-after')
  return text === undefined ? undefined : retryAfterMsOf(text, runtime.wallMs())
}

/** Of the Fetch API's headers, or of a plain object in whichever case. */
function header(headers: Fields, name: string): string | undefined {
  const value: unknown =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
