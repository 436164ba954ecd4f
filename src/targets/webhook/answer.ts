/** What an answer over HTTP makes of an effect. */
import type { Effect } from '../../contracts/effect.ts'
import type { Json } from '../../contracts/values.ts'
import { isOverloadStatus, retryAfterMsOf } from '../../http-load.ts'
import { dead, effectRefused, retry, targetFailed, type TargetOutcome } from '../outcome.ts'
import type { WebhookSettings } from './options.ts'

/**
 * What another client error means does not change by waiting. These may: a request that came too slowly, a conflict
 * with something under way, one too early, one too many.
 */
const passing: readonly number[] = [408, 409, 425, 429]

export function isDelivered(status: number): boolean {
  return status >= 200 && status < 300
}

/** What an answer that is no 2xx says of the effect. @param said the beginning of its body */
export function refusalOf(
  target: string,
  effect: Effect,
  response: Response,
  said: string,
  { maxRetryAfterMs }: Pick<WebhookSettings, 'maxRetryAfterMs'>,
  nowMs: number,
): TargetOutcome {
  const { status } = response
  const words = `it answered ${status}${said === '' ? '' : `: ${said}`}`
  if (status < 500 && !passing.includes(status)) {
    const isRedirect = status >= 300 && status < 400
    return dead(effectRefused(target, effect, isRedirect ? `${words}; redirects are not followed` : words))
  }
  const waitMs = retryAfterMsOf(response.headers.get('retry-after') ?? '', nowMs)
  return retry(targetFailed(target, words), {
    isOverload: isOverloadStatus(status),
    afterMs: waitMs === undefined ? undefined : Math.min(Math.max(0, waitMs), maxRetryAfterMs),
  })
}

/** The result in a body of a 2xx, undefined where there is none or it is too long. */
export async function resultOf(response: Response, maxBytes: number): Promise<Json | undefined> {
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '')
  if (!isJson) {
    await response.body?.cancel()
    return undefined
  }
  const { bytes, isWhole } = await readUpTo(response, maxBytes)
  if (!isWhole) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch {
    return undefined
  }
}

/** For messages: one line, the first 200 bytes. */
export async function beginningOf(response: Response): Promise<string> {
  const { bytes } = await readUpTo(response, 200)
  return bytes.toString().replaceAll(/\s+/g, ' ').trim()
}

/** Reads no more than it must: what a receiver sends has no limit of its own. */
async function readUpTo(response: Response, maxBytes: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const parts: Uint8Array[] = []
  let length = 0
  // Leaving the loop cancels the rest.
  for await (const part of response.body ?? []) {
    parts.push(part)
    length += part.length
    if (length > maxBytes) break
  }
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isWhole: length <= maxBytes }
}
