/**
 * Signs and verifies as Standard Webhooks says: HMAC-SHA256 over id, time and body, joined by full stops, with as many
 * signatures as there are secrets.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Json } from '../../contracts/values.ts'
import { TidemarkError } from '../../errors.ts'
import type { Check } from '../../options.ts'

/** What a receiver has: `request.headers` of Node's server, or `Headers`. */
export type ReceivedHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** A message whose sender has the secret. */
export interface WebhookMessage {
  /** Of the effect. The same message may come again: whoever has seen the id need not do it again. */
  readonly id: string
  readonly sentAt: Date
  readonly content: WebhookContent
}

/** The body, as the target writes it. */
export interface WebhookContent {
  /** The effect's kind. */
  readonly type: string
  /** When its write was committed, in ISO 8601. */
  readonly timestamp: string
  readonly key?: string
  /** A message of the same type and key with a lower version is older. */
  readonly version: number
  /** The effect's payload. */
  readonly data: Json
}

const secretPattern = /^whsec_([A-Za-z0-9+/]+={0,2})$/

/** Never shows what it was given. */
export const secretCheck: Check = (value) => {
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
  return secrets.length > 0 && secrets.every((one) => keyOf(one) !== undefined)
    ? undefined
    : 'must be "whsec_" and 24 to 64 bytes in base64, or a list of such'
}

/**
 * Headers hold visible ASCII, and a full stop would leave open where the id ends in what is signed: these, and what
 * escapes them, are escaped as in a URL.
 */
export function escapeId(id: string): string {
  return id.replaceAll(/[^!-~]|[%.]/gu, (one) => (one === '.' ? '%2E' : encodeURIComponent(one)))
}

/** Of another sender it may be anything. */
function unescapeId(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

/** @param secrets checked */
export function sign(
  secrets: string | readonly string[],
  id: string,
  seconds: number,
  body: string | Uint8Array,
): string {
  return keysOf(secrets)
    .map((key) => `v1,${digest(key, id, seconds, body).toString('base64')}`)
    .join(' ')
}

/** @throws TidemarkError `INVALID_SIGNATURE`, `INVALID_OPTIONS` */
export function verifyMessage(
  headers: ReceivedHeaders,
  body: string | Uint8Array,
  secrets: string | readonly string[],
  toleranceMs: number,
  nowMs: number,
): WebhookMessage {
  const problem = secretCheck(secrets)
  if (problem !== undefined)
    throw new TidemarkError('INVALID_OPTIONS', `the secret of verifyWebhook() ${problem}.`)
  if (!(toleranceMs > 0))
    throw new TidemarkError('INVALID_OPTIONS', 'toleranceMs of verifyWebhook() must be above 0.')
  const id = headerOf(headers, 'webhook-id')
  const time = headerOf(headers, 'webhook-timestamp')
  if (!/^\d{1,11}$/.test(time)) throw invalid('webhook-timestamp is no time in seconds')
  const seconds = Number(time)
  const signatures = headerOf(headers, 'webhook-signature')
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice(3), 'base64'))
  const expected = keysOf(secrets).map((key) => digest(key, id, seconds, body))
  // Every pair is compared, so that the time tells nothing of which fits.
  const fitting = expected.flatMap((one) => signatures.filter((other) => isSame(one, other)))
  if (fitting.length === 0) throw invalid('no signature is of these secrets')
  if (Math.abs(nowMs - seconds * 1_000) > toleranceMs)
    throw invalid(`it was signed at ${new Date(seconds * 1_000).toISOString()}`)
  return { id: unescapeId(id), sentAt: new Date(seconds * 1_000), content: contentOf(body) }
}

/** Whoever has the secret has written it as it should be. */
function contentOf(body: string | Uint8Array): WebhookContent {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString()
  try {
    return JSON.parse(text) as WebhookContent
  } catch (cause) {
    throw new TidemarkError('INVALID_SIGNATURE', 'this webhook is signed, and no JSON.', { cause })
  }
}

function digest(key: Buffer, id: string, seconds: number, body: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest()
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function headerOf(headers: ReceivedHeaders, name: string): string {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1]
  if (typeof value !== 'string' || value === '') throw invalid(`it has no ${name}`)
  return value
}

function keysOf(secrets: string | readonly string[]): readonly Buffer[] {
  return [secrets].flat().flatMap((secret) => keyOf(secret) ?? [])
}

function keyOf(secret: unknown): Buffer | undefined {
  const [, base64] = typeof secret === 'string' ? (secretPattern.exec(secret) ?? []) : []
  if (base64 === undefined) return undefined
  const key = Buffer.from(base64, 'base64')
  return key.length >= 24 && key.length <= 64 ? key : undefined
}

function invalid(why: string): TidemarkError {
  return new TidemarkError('INVALID_SIGNATURE', `this webhook cannot be trusted: ${why}.`, {
    hint: 'Answer 401. Check that the body is verified as it came, the secret, and the clocks.',
  })
}
