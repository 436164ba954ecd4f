/** What an error of the client says. Qdrant has no list of its own: the status is what HTTP says it is. */
import { QdrantClientResourceExhaustedError } from '@qdrant/js-client-rest'
import { isOverloadStatus } from '../../http-load.ts'
import { TargetTimeout } from '../bounds.ts'

/** `refused`: something in the request will never do. Else the same may succeed later. */
export interface QdrantFailure {
  readonly isRefused: boolean
  /** Undefined: nobody answered, and the causes of the error say why. */
  readonly isOverload: boolean | undefined
  readonly afterMs: number | undefined
  readonly message: string
}

/** The request is malformed, too large, or makes no sense. A missing collection or a wrong key is mended for all at once. */
const refusals: readonly number[] = [400, 413, 422]

export function failureOf(error: unknown): QdrantFailure {
  if (error instanceof QdrantClientResourceExhaustedError) {
    // The client reads the first digit alone of Retry-After: too early, never too late.
    const afterMs = error.retry_after * 1_000
    return { isRefused: false, isOverload: true, afterMs, message: 'it answered 429' }
  }
  const { status, data, message, cause } = error as Partial<Answered> & Error
  if (status === undefined) {
    const isOverload = error instanceof TargetTimeout || undefined
    // fetch says no more than that it failed; its cause knows why.
    const words = cause instanceof Error ? cause.message : message
    return { isRefused: false, isOverload, afterMs: undefined, message: words }
  }
  return {
    isRefused: refusals.includes(status),
    isOverload: isOverloadStatus(status),
    afterMs: undefined,
    message: `it answered ${status}: ${said(data)}`,
  }
}

/** What the client throws of an answer that is no success. It exports no name for it. */
interface Answered {
  readonly status: number
  readonly data: unknown
}

function said(data: unknown): string {
  const { status } = Object(data) as { readonly status?: { readonly error?: unknown } }
  const error = Object(status) as { readonly error?: unknown }
  return typeof error.error === 'string' ? error.error.slice(0, 200) : 'nothing else'
}
