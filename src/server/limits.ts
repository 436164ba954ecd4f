/** How much of everything the server takes. docs/guides/server.md has the table. */
import { invalidServerOptions } from './options.ts'

export interface Limits {
  /** All headers of a request, in bytes. */
  readonly headerBytes: number
  /** A JSON body, as it is sent and unpacked. Streamed bodies have no end that anyone must know. */
  readonly bodyBytes: number
  /** One line of a streamed body. */
  readonly lineBytes: number
  /** Brackets within brackets. */
  readonly jsonDepth: number
  readonly connections: number
  /** Tails at once. */
  readonly tails: number
  /** The headers must have come by then, in ms. */
  readonly headersMs: number
  /** And a JSON body. */
  readonly bodyMs: number
  /** The longest pause in a streamed body; how long a tail may take nothing. */
  readonly idleMs: number
  /** How long a write waits for room in the queue before it is told to come again. */
  readonly fullQueueMs: number
  /** The longest that a request may wait for a commit or for a fresh read. */
  readonly waitMs: number
}

export const LIMITS: Limits = Object.freeze({
  headerBytes: 16_384,
  bodyBytes: 8 * 2 ** 20,
  lineBytes: 1_000_000,
  jsonDepth: 64,
  connections: 1_000,
  tails: 50,
  headersMs: 10_000,
  bodyMs: 30_000,
  idleMs: 30_000,
  fullQueueMs: 5_000,
  waitMs: 30_000,
})

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseLimits(given: Partial<Limits> = {}): Limits {
  const problems = Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    if (!(name in LIMITS))
      return [`limits.${name} is not an option (options: ${Object.keys(LIMITS).join(', ')})`]
    return Number.isSafeInteger(value) && (value as number) > 0
      ? []
      : [`limits.${name} must be a whole number above 0, not ${String(value)}`]
  })
  if (problems.length > 0) throw invalidServerOptions(problems)
  return { ...LIMITS, ...given }
}
