/**
 * Effects as signed requests: one POST each, some at a time.
 *
 * Keeps law 8 as far as a sender can: the same id and body at every delivery, and a version by which the receiver
 * tells a late one. What was answered counts, not what was sent: without an answer the effect is sent again.
 */
import type { Effect, EffectContext, Target } from '../../contracts/effect.ts'
import type { Runtime } from '../../contracts/runtime.ts'
import { TidemarkError } from '../../errors.ts'
import { Bounds } from '../bounds.ts'
import { retry, targetFailed, type TargetOutcome } from '../outcome.ts'
import { beginningOf, isDelivered, refusalOf, resultOf } from './answer.ts'
import type { WebhookSettings } from './options.ts'
import { escapeId, sign, type WebhookContent } from './signature.ts'

export class WebhookTarget implements Target {
  readonly name: string
  readonly #settings: WebhookSettings
  readonly #runtime: Runtime
  readonly #bounds: Bounds

  constructor(settings: WebhookSettings, runtime: Runtime) {
    const { origin, pathname } = new URL(settings.url)
    // What stands behind the path may be a password.
    this.name = `webhook ${origin}${pathname}`
    this.#settings = settings
    this.#runtime = runtime
    this.#bounds = new Bounds(this.name, runtime, settings.timeoutMs)
  }

  async deliver(effects: readonly Effect[], { signal }: EffectContext): Promise<readonly TargetOutcome[]> {
    const outcomes: TargetOutcome[] = effects.map(() => undefined)
    const waiting = effects.entries()
    const senders = Array.from({ length: Math.min(this.#settings.concurrency, effects.length) }, async () => {
      for (const [index, effect] of waiting) outcomes[index] = await this.#send(effect, signal)
    })
    await Promise.all(senders)
    return outcomes
  }

  /** Any answer shows that it can be reached, but for a 5xx. */
  async probe(signal: AbortSignal): Promise<void> {
    const { url, headers } = this.#settings
    try {
      const { status } = await this.#bounds.run(signal, (ending) =>
        fetch(url, { method: 'HEAD', headers, redirect: 'manual', signal: ending }),
      )
      if (status >= 500) throw targetFailed(this.name, `it answered ${status}`)
    } catch (error) {
      signal.throwIfAborted()
      throw this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.#bounds.end()
  }

  async #send(effect: Effect, signal: AbortSignal): Promise<TargetOutcome> {
    let isOver = false
    try {
      return await this.#bounds.run(signal, async (ending): Promise<TargetOutcome> => {
        const response = await fetch(this.#settings.url, { ...this.#request(effect), signal: ending })
        isOver = isDelivered(response.status)
        if (isOver) {
          const result = await resultOf(response, this.#settings.maxResultBytes)
          return result === undefined ? undefined : { kind: 'delivered', result }
        }
        const said = await beginningOf(response).catch(() => '')
        return refusalOf(this.name, effect, response, said, this.#settings, this.#runtime.wallMs())
      })
    } catch (error) {
      signal.throwIfAborted()
      // It has said that it has the effect; only what it wanted to say besides is lost.
      if (isOver) return undefined
      return retry(this.#failed(error), { isOverload: true })
    }
  }

  #request(effect: Effect): RequestInit {
    const { headers, secret } = this.#settings
    const id = escapeId(effect.id)
    const seconds = Math.floor(this.#runtime.wallMs() / 1_000)
    const body = JSON.stringify(contentOf(effect))
    return {
      method: 'POST',
      redirect: 'manual',
      body,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'idempotency-key': id,
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': sign(secret, id, seconds, body),
      },
    }
  }

  #failed(error: unknown): Error {
    if (error instanceof TidemarkError) return error
    const { message, cause } = error as Error
    // fetch says no more than that it failed; its cause knows why.
    return targetFailed(this.name, cause instanceof Error ? cause.message : message, error)
  }
}

/** Nothing in it differs between deliveries. */
function contentOf({ kind, key, version, payload, committedAt }: Effect): WebhookContent {
  return {
    type: kind,
    timestamp: committedAt.toISOString(),
    ...(key !== undefined && { key }),
    version,
    data: payload,
  }
}
