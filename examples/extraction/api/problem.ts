/** Everything that goes wrong, as a problem document of RFC 9457. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { StaleReadError, TidemarkError } from '../tidemark.ts'

interface Details {
  readonly hint?: string
  readonly retryAfterMs?: number
}

export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly details: Details

  constructor(status: number, code: string, message: string, details: Details = {}) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'The request cannot be understood',
  404: 'No such resource',
  409: 'Not in this state',
  410: 'The bookmark leads nowhere any more',
  413: 'The body is too large',
  415: 'Not this kind of body',
  422: 'The request makes no sense',
  500: 'A fault of the server',
  503: 'Not now',
}

/** What of Tidemark's errors is the client's to know. Others are ours. */
const known: Readonly<Record<string, readonly [status: number, details: Details]>> = {
  STALE_READ: [503, { retryAfterMs: 1_000, hint: 'Ask again, with a longer timeoutMs, or for less.' }],
  EFFECTS_PENDING: [503, { retryAfterMs: 1_000 }],
  QUEUE_FULL: [503, { retryAfterMs: 1_000 }],
  DEAD_LETTERED: [409, { hint: 'See GET /dead-letters; mend the cause, then POST /dead-letters/redrive.' }],
  NOT_REDRIVABLE: [422, { hint: 'GET /dead-letters lists what can be redriven.' }],
  INVALID_BOOKMARK: [400, { hint: 'Drop the bookmark.' }],
  POSITION_LOST: [410, { hint: 'Drop the bookmark, and submit again.' }],
  BOOKMARK_EXPIRED: [410, { hint: 'Drop the bookmark.' }],
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error)
  if (problem.status >= 500 && !(error instanceof StaleReadError) && !(error instanceof ApiProblem))
    console.error(`${request.method} ${request.routeOptions.url ?? '-'} failed: ${describe(error)}`)
  const { status, code, message, details } = problem
  if (details.retryAfterMs !== undefined)
    void reply.header('retry-after', Math.ceil(details.retryAfterMs / 1_000))
  void reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `urn:extraction:problem:${code}`,
      title: titles[status] ?? 'Something went wrong',
      status,
      detail: message,
      code,
      ...(details.hint !== undefined && { hint: details.hint }),
    })
}

function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (error instanceof TidemarkError) {
    const [status, details] = known[error.code] ?? []
    if (status !== undefined) return new ApiProblem(status, error.code, error.message, details)
    // What a store says of itself is for whoever runs this.
    return new ApiProblem(503, error.code, 'A store that this needs cannot do it now.', {
      retryAfterMs: 1_000,
    })
  }
  const { statusCode, validation, validationContext, message } = error as FastifyError
  if (validation !== undefined)
    return validationContext === 'body'
      ? new ApiProblem(422, 'INVALID_BODY', message)
      : new ApiProblem(400, 'BAD_REQUEST', message)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ApiProblem(statusCode, 'BAD_REQUEST', message)
  if (error instanceof Error && error.message.startsWith('the vector store'))
    return new ApiProblem(503, 'VECTORS_DOWN', 'The vector store cannot be reached.', { retryAfterMs: 1_000 })
  return new ApiProblem(
    500,
    'INTERNAL',
    'The server failed in a way that it should not. Its log has the details.',
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
