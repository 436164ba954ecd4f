import type { Target } from '../../contracts/effect.ts'
import { systemRuntime } from '../../runtime/system.ts'
import { parseWebhookOptions, type WebhookOptions } from './options.ts'
import { verifyMessage, type ReceivedHeaders, type WebhookMessage } from './signature.ts'
import { WebhookTarget } from './target.ts'

export { WEBHOOK_DEFAULTS, type WebhookOptions } from './options.ts'
export type { ReceivedHeaders, WebhookContent, WebhookMessage } from './signature.ts'

/**
 * Each effect as one POST to somebody's server, signed as Standard Webhooks says
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 *
 * - `webhook-id`, and `Idempotency-Key`, is the effect's id, the same however often it comes. The body carries its
 *   version. Receivers must use both: this target keeps nothing of its own that could tell late from new.
 * - 2xx is delivered, and a JSON body becomes the effect's result. 408, 409, 425, 429 and 5xx are tried again, as late
 *   as Retry-After says. Everything else is dead, redirects too: they would lead signed content to who knows where.
 *
 * @param url `https:`, or `http:` where nobody listens on the way
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function webhook(url: string, options: WebhookOptions): Target {
  return new WebhookTarget(parseWebhookOptions(url, options), systemRuntime)
}

/**
 * For whoever receives: what is signed with one of the secrets, and not long ago. The same message may come again
 * within that time, from anybody who has seen it: its id tells.
 *
 * @param body exactly as it came; parsed and written again it may differ
 * @param secrets the one in use, and while it is replaced the other
 * @param toleranceMs how far the sender's clock and ours may be apart, in ms, with the way between. Default 5 minutes,
 *   as in the libraries of Standard Webhooks.
 * @throws TidemarkError `INVALID_SIGNATURE`: answer 401; `INVALID_OPTIONS` when a secret is none
 */
export function verifyWebhook(
  headers: ReceivedHeaders,
  body: string | Uint8Array,
  secrets: string | readonly string[],
  toleranceMs = 300_000,
): WebhookMessage {
  return verifyMessage(headers, body, secrets, toleranceMs, systemRuntime.wallMs())
}
