/** What an answer over HTTP says of the load of whoever gave it. */

/** It cannot keep up. 501 and 505 say that it will never do this: https://www.rfc-editor.org/rfc/rfc9110#status.5xx */
export function isOverloadStatus(status: number): boolean {
  return (
    status === 408 || status === 429 || (status >= 500 && status <= 599 && status !== 501 && status !== 505)
  )
}

/**
 * What `Retry-After` asks for, in ms from now, below 0 for a date that is over: seconds, or a date
 * (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). Some send fractions of a second.
 */
export function retryAfterMsOf(header: string, nowMs: number): number | undefined {
  const waitMs = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs
  return Number.isFinite(waitMs) ? waitMs : undefined
}
