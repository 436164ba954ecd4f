import type { TidemarkError } from '../errors.ts'

/** What is wrong with a request itself: these never reach the engine. docs/guides/server.md lists the codes. */
export type RequestCode =
  | 'BAD_REQUEST'
  | 'BODY_TOO_LARGE'
  | 'DRAINING'
  | 'FORBIDDEN'
  | 'HEADERS_TOO_LARGE'
  | 'INTERNAL'
  | 'INVALID_BODY'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_FOUND'
  | 'REQUEST_TIMEOUT'
  | 'TOO_MANY_TAILS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED_MEDIA_TYPE'

export const REQUEST_STATUS: Readonly<Record<RequestCode, number>> = {
  BAD_REQUEST: 400,
  BODY_TOO_LARGE: 413,
  DRAINING: 503,
  FORBIDDEN: 403,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  INVALID_BODY: 422,
  METHOD_NOT_ALLOWED: 405,
  NOT_FOUND: 404,
  REQUEST_TIMEOUT: 408,
  TOO_MANY_TAILS: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED_MEDIA_TYPE: 415,
}

interface Details {
  readonly hint?: string
  readonly retryAfterMs?: number
  /** More members of the problem document. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

export class RequestError extends Error {
  readonly code: RequestCode
  readonly details: Details

  constructor(code: RequestCode, message: string, details: Details = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** A failure after some of the request was accepted all the same: its document says what. */
export class PartialFailure extends Error {
  readonly reason: RequestError | TidemarkError
  readonly members: object

  constructor(reason: RequestError | TidemarkError, members: object) {
    super(reason.message, { cause: reason })
    this.reason = reason
    this.members = members
  }
}
