import { httpUrl, parseOptions, whole, type Check } from '../../options.ts'
import { secretCheck } from './signature.ts'

export interface WebhookOptions {
  /**
   * What is signed with: `whsec_` and 24 to 64 random bytes in base64. Several while one is replaced: every message is
   * then signed with each of them.
   */
  readonly secret: string | readonly string[]
  /** How long an answer may take, in ms. Default 15,000, the least that Standard Webhooks recommends. */
  readonly timeoutMs?: number
  /** How many requests of a batch are under way at once. Default 8. */
  readonly concurrency?: number
  /** The longest answer that is kept as a result, in bytes. Default 65,536. */
  readonly maxResultBytes?: number
  /** The longest wait that a Retry-After is believed, in ms. Default one hour. */
  readonly maxRetryAfterMs?: number
  /** Sent with every request, such as `authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>>
}

export type WebhookSettings = Required<WebhookOptions> & { readonly url: string }

export const WEBHOOK_DEFAULTS: Required<Omit<WebhookOptions, 'secret'>> = Object.freeze({
  timeoutMs: 15_000,
  concurrency: 8,
  maxResultBytes: 65_536,
  maxRetryAfterMs: 3_600_000,
  headers: {},
})

const own = /^(?:webhook-.*|idempotency-key|content-.*|host)$/i

const headersCheck: Check = (value) => {
  if (typeof value !== 'object' || value === null) return 'must be an object of texts'
  try {
    const set = [...new Headers(Object.entries(value)).keys()].find((name) => own.test(name))
    return set === undefined ? undefined : `must not hold ${set}`
  } catch {
    // What Node says would show the value, which may be a password.
    return 'must be names and values that HTTP allows'
  }
}

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseWebhookOptions(url: string, given: WebhookOptions): WebhookSettings {
  return parseOptions<WebhookSettings>(
    'webhook',
    { ...given, url },
    {
      url: httpUrl,
      secret: secretCheck,
      timeoutMs: whole,
      concurrency: whole,
      maxResultBytes: whole,
      maxRetryAfterMs: whole,
      headers: headersCheck,
    },
    WEBHOOK_DEFAULTS,
  )
}
