/**
 * Everything that goes wrong, as a problem document of RFC 9457.
 *
 * A document says what the client did or can do. What a store says of itself may name paths and statements: of that
 * a client learns a code and the id under which the server has written down the rest.
 */
import type { FastifyError } from 'fastify'
import {
  QueueFullError,
  ReceiptTimeoutError,
  StoreError,
  TidemarkError,
  WriteRejectedError,
  type ErrorCode,
  unprefixed,
} from '../errors.ts'
import { PartialFailure, REQUEST_STATUS, RequestError, type RequestCode } from './request-error.ts'

export const PROBLEM_TYPE = 'application/problem+json'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode | RequestCode
  readonly hint?: string
  readonly retryAfterMs?: number
  /** Under this id the server's log has the whole error. */
  readonly incident?: string
  readonly [member: string]: unknown
}

export interface Failure {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
  /** It is not the client's fault: the server writes the whole error down. */
  readonly isOurs: boolean
}

interface Manner {
  readonly status: number
  readonly title: string
  /** Said instead of the error's own words, which are for whoever runs the server. */
  readonly detail?: string
  readonly hint?: string
  readonly retryAfterMs?: number
}

const stopped = {
  status: 503,
  title: 'The engine has stopped',
  detail: 'The engine takes no more writes. Nothing of this request is known to be committed.',
  hint: 'Whoever runs the server must look into it; its log says why.',
} as const
const unavailable = {
  status: 503,
  title: 'The database cannot be reached',
  detail: 'The database could not do what was asked.',
  retryAfterMs: 1_000,
} as const

/** @returns how a code of the library is told over HTTP; a code without a line here does not type-check */
export function mannerOf(code: ErrorCode): Manner {
  switch (code) {
    case 'UNKNOWN_TABLE':
      return { status: 404, title: 'No such table' }
    case 'UNKNOWN_COLUMN':
      return { status: 422, title: 'No such column' }
    case 'MISSING_KEY':
      return { status: 422, title: 'The key is not whole' }
    case 'UNBINDABLE_VALUE':
      return { status: 422, title: 'A value that the table cannot hold' }
    case 'EMPTY_OPERATION':
      return { status: 422, title: 'Nothing to write' }
    case 'BAD_STATEMENT':
    case 'INVALID_CALL':
    case 'INVALID_OPTIONS':
      return { status: 422, title: 'The request makes no sense' }
    case 'NOT_SUPPORTED':
      return { status: 501, title: 'This server cannot do that' }
    case 'TOO_LARGE':
      return { status: 413, title: 'Too large for one write', hint: 'Send it in smaller pieces.' }
    case 'WRITE_REJECTED':
      return {
        status: 409,
        title: 'The database refused the write',
        hint: 'It is kept as a dead letter: mend the cause, then redrive it.',
      }
    case 'LIVE_HELD':
      return { status: 409, title: 'The row is held by a job', hint: 'Write it when the job is over.' }
    case 'LIVE_ENDED':
    case 'LIVE_FULL':
    case 'LIVE_REJECTED':
      return { status: 503, title: 'The job cannot go on', hint: 'Whoever runs it must look into it.' }
    case 'QUEUE_FULL':
      return {
        status: 429,
        title: 'The queue is full',
        detail: 'More is written than the database takes.',
        hint: 'Wait as long as Retry-After says, then send what was not accepted.',
      }
    case 'RECEIPT_TIMEOUT':
      return {
        status: 503,
        title: 'Accepted, not yet committed',
        detail: 'The write is accepted and still pending: it will be committed, or become a dead letter.',
        hint: 'Do not send it again: read with the bookmark to see what became of it.',
      }
    case 'STALE_READ':
      return {
        status: 503,
        title: 'Not as fresh in time',
        hint: 'Read again, give it a longer Tidemark-Timeout-Ms, or ask for a level that waits for less.',
        retryAfterMs: 1_000,
      }
    case 'EFFECTS_PENDING':
      return { status: 503, title: 'Follow-up work is not done yet', retryAfterMs: 1_000 }
    case 'DEAD_LETTERED':
      return {
        status: 409,
        title: 'Follow-up work was given up',
        hint: 'It is kept as a dead effect: mend the cause, then redrive it.',
      }
    case 'SESSION_BEHIND':
      return { status: 503, title: 'Not as fresh in time', retryAfterMs: 1_000 }
    case 'POSITION_LOST':
      return {
        status: 410,
        title: 'The bookmark names a write that is lost',
        hint: 'Drop the bookmark, and write again what is missing.',
      }
    case 'BOOKMARK_EXPIRED':
      return { status: 410, title: 'The bookmark is too old', hint: 'Drop the bookmark.' }
    case 'INVALID_BOOKMARK':
      return { status: 400, title: 'This is no bookmark of this database', hint: 'Drop the bookmark.' }
    case 'NOT_REDRIVABLE':
      return { status: 422, title: 'This cannot be redriven' }
    case 'QUERY_REFUSED':
      return { status: 422, title: 'The query is refused' }
    case 'QUERY_STOPPED':
      return { status: 422, title: 'The query was stopped', hint: 'Ask for less, or add an index.' }
    case 'QUERY_BUSY':
      return { status: 503, title: 'Too many queries at once', retryAfterMs: 1_000 }
    case 'PROCESSOR_FAILED':
      return {
        status: 503,
        title: 'Follow-up work has failed',
        detail: 'What the read waits for has failed.',
      }
    case 'TARGET_FAILED':
    case 'EFFECT_REFUSED':
      return {
        status: 503,
        title: 'Follow-up work has failed',
        detail: 'The target of an effect did not take it.',
      }
    case 'INVALID_SIGNATURE':
      return { status: 401, title: 'The signature does not hold' }
    case 'STORE_FAILED':
    case 'TRANSACTION_FAILED':
      return unavailable
    case 'CLOSED':
      return { ...stopped, title: 'The server is ending', retryAfterMs: 5_000 }
    case 'DEADLINE_PASSED':
    case 'FENCED':
    case 'CANNOT_LISTEN':
    case 'GAVE_UP':
    case 'HISTORY_LOST':
      return stopped
  }
}

const requestTitles: Readonly<Record<RequestCode, string>> = {
  BAD_REQUEST: 'The request cannot be understood',
  BODY_TOO_LARGE: 'The body is too large',
  DRAINING: 'The server is ending',
  FORBIDDEN: 'Not allowed',
  HEADERS_TOO_LARGE: 'The headers are too large',
  INTERNAL: 'A fault of the server',
  INVALID_BODY: 'The body makes no sense',
  METHOD_NOT_ALLOWED: 'Not this method',
  NOT_FOUND: 'No such resource',
  REQUEST_TIMEOUT: 'The request came too slowly',
  TOO_MANY_TAILS: 'Too many tails at once',
  UNAUTHORIZED: 'Who are you?',
  UNSUPPORTED_MEDIA_TYPE: 'Not this kind of body',
}

/** @param incident an id for what the client is not told */
export function failureOf(error: unknown, incident: string): Failure {
  if (error instanceof PartialFailure) {
    const failure = failureOf(error.reason, incident)
    return { ...failure, problem: { ...failure.problem, ...error.members } }
  }
  if (error instanceof RequestError) return ofRequest(error)
  if (error instanceof TidemarkError) return ofTidemark(error, incident)
  const known = ofFastify(error)
  if (known) return ofRequest(known)
  const detail = 'The server failed in a way that it should not. Its log has the details.'
  return {
    problem: { ...documentOf('INTERNAL', requestTitles.INTERNAL, 500, detail), incident },
    headers: {},
    isOurs: true,
  }
}

function ofRequest({ code, message, details }: RequestError): Failure {
  const { hint, retryAfterMs, members = {}, headers = {} } = details
  return {
    problem: {
      ...documentOf(code, requestTitles[code], REQUEST_STATUS[code], message),
      ...optional({ hint, retryAfterMs }),
      ...members,
    },
    headers: { ...headers, ...retryAfter(retryAfterMs) },
    isOurs: false,
  }
}

function ofTidemark(error: TidemarkError, incident: string): Failure {
  // The store took the statement and found it wrong: that is the client's, and so is what it says.
  const isRefused = error instanceof StoreError && error.failure === 'rejected'
  const manner: Manner = isRefused
    ? { ...mannerOf('QUERY_REFUSED'), detail: 'The database refuses it.' }
    : mannerOf(error.code)
  const retryAfterMs = error instanceof QueueFullError ? error.retryAfterMs : manner.retryAfterMs
  const isOurs = manner.status >= 500 && !isNoFault(error)
  return {
    problem: {
      ...documentOf(error.code, manner.title, manner.status, manner.detail ?? plain(error.message)),
      ...optional({ hint: manner.hint, retryAfterMs }),
      ...(error.outcome === 'unknown' ? { outcome: error.outcome } : {}),
      ...(error instanceof WriteRejectedError
        ? { deadLetter: error.deadLetter, storeCode: error.storeCode }
        : {}),
      ...(isOurs ? { incident } : {}),
    },
    headers: retryAfter(retryAfterMs),
    isOurs,
  }
}

/** It only takes longer than the client would wait, or never was there: nothing that somebody must look into. */
function isNoFault(error: TidemarkError): boolean {
  return (
    error instanceof ReceiptTimeoutError ||
    ['STALE_READ', 'SESSION_BEHIND', 'QUERY_BUSY', 'CLOSED', 'NOT_SUPPORTED'].includes(error.code)
  )
}

/** What Fastify found wrong before a route was asked. */
function ofFastify(error: unknown): RequestError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode, code, message, validation, validationContext } = error as FastifyError
  if (validation) {
    const isBody = validationContext === 'body'
    return new RequestError(isBody ? 'INVALID_BODY' : 'BAD_REQUEST', sentence(message))
  }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RequestError('BODY_TOO_LARGE', 'The body is larger than this route takes.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RequestError('UNSUPPORTED_MEDIA_TYPE', 'This route does not take this kind of body.', {
        hint: 'Say what it is with Content-Type; /openapi.json lists what each route takes.',
      })
    case 'FST_ERR_BAD_URL':
      return new RequestError('BAD_REQUEST', 'The path is not percent-encoded UTF-8.')
    default:
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? new RequestError('BAD_REQUEST', 'The request cannot be understood.')
        : undefined
  }
}

function documentOf(code: Problem['code'], title: string, status: number, detail: string): Problem {
  return { type: `urn:tidemark:error:${code}`, title, status, detail, code }
}

/** Seconds, as the header has them; never less than what was meant. */
function retryAfter(ms: number | undefined): Record<string, string> {
  return ms === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(ms / 1_000))) }
}

function optional(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function plain(message: string): string {
  return sentence(unprefixed(message).replace(/ Nothing was queued\.$/, ''))
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}
