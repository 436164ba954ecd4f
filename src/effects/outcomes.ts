/**
 * What a handler says of its effects, as it is settled: delivered, tried again at some time, or dead.
 *
 * Keeps: law 8 (an effect whose handler fails, says nothing that can be understood, or takes too long is tried again; it
 * is given up only as a dead letter).
 */
import type { Effect, EffectOutcome } from '../contracts/effect.ts'
import type { Runtime } from '../contracts/runtime.ts'
import type { EffectWrite } from './host.ts'
import type { Item } from './item.ts'
import type { DeliveryEnd } from './limiter.ts'
import type { Delivery } from './options.ts'
import { isOverload, retryAfterMs } from './overload.ts'
import { delivered, Settled, type Settlement } from './settlement.ts'

/** Longer than this an error's text is cut off, in characters. */
const maxErrorLength = 2_000

interface Failed {
  readonly error: unknown
  readonly afterMs?: number | undefined
  /** Default true. */
  readonly isAttempt?: boolean
}

export class Outcomes<W> {
  readonly #options: Delivery<W>
  readonly #runtime: Runtime

  constructor(options: Delivery<W>, runtime: Runtime) {
    this.#options = options
    this.#runtime = runtime
  }

  /** @param answer what the handler returned. @param isAttempt whether what failed has used up one of its attempts */
  settle(items: readonly Item[], answer: unknown, isAttempt: boolean): Settled[] {
    if (answer === undefined) return items.map((item) => new Settled(item, delivered))
    if (!Array.isArray(answer) || answer.length !== items.length) {
      const error = new TypeError(
        `the handler must return one outcome for each of its ${items.length} effects, or nothing`,
      )
      return this.fail(items, error, isAttempt)
    }
    return items.map((item, at) => {
      const settlement = this.#settlementOf(item, answer[at] as EffectOutcome<W>, isAttempt)
      return new Settled(item, settlement)
    })
  }

  /** The handler threw, or took too long. */
  fail(items: readonly Item[], error: unknown, isAttempt = true): Settled[] {
    const retry = { error, afterMs: retryAfterMs({ error }, this.#runtime), isAttempt }
    return items.map((item) => new Settled(item, this.#retry(item, retry)))
  }

  #settlementOf(item: Item, outcome: EffectOutcome<W>, isAttempt: boolean): Settlement {
    switch (outcome?.kind) {
      case undefined:
        if (outcome === undefined || outcome === null) return delivered
        return this.#retry(item, { error: new TypeError('the handler returned an outcome without a kind') })
      case 'delivered': {
        const { result, write } = outcome
        if (result === undefined && write === undefined) return delivered
        return {
          kind: 'delivered',
          ...(result !== undefined && { result }),
          ...(write !== undefined && { write }),
        }
      }
      case 'retry':
        return this.#retry(item, {
          error: outcome.error,
          afterMs: retryAfterMs(outcome, this.#runtime),
          isAttempt,
        })
      case 'dead':
        return this.#dead(item.effect, outcome.error, outcome.write)
      default:
        return this.#retry(item, {
          error: new TypeError(`the handler returned an outcome of an unknown kind`),
        })
    }
  }

  #retry(item: Item, { error, afterMs, isAttempt = true }: Failed): Settlement {
    const failures = item.failures + 1
    if (isAttempt && failures >= this.#options.maxAttempts) return this.#dead(item.effect, error, undefined)
    const waitMs = afterMs ?? this.#backoffMs(failures)
    const dueAtMs = Math.ceil(this.#runtime.wallMs() + waitMs)
    return { kind: 'retry', dueAtMs, error: textOf(error), isAttempt }
  }

  #dead(effect: Effect, error: unknown, write: EffectWrite | undefined): Settlement {
    const { onDead } = this.#options
    const writes = write ?? (onDead && ((to: W) => onDead(effect, error, to)))
    return { kind: 'dead', error: textOf(error), write: writes }
  }

  /** "Equal jitter": see `src/writes/backoff.ts`. */
  #backoffMs(failures: number): number {
    const { retryFirstMs, retryMaxMs } = this.#options
    const ceiling = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(failures - 1, 40))
    return Math.ceil(ceiling * (0.5 + this.#runtime.random() / 2))
  }
}

/** The target could not keep up, or is not there, and said nothing else. */
export interface Refusal {
  /** How long it wants to be left alone, in ms; 0: it does not say. */
  readonly askedMs: number
}

/** @param answer what the handler returned */
export function refusalOf(answer: unknown, runtime: Pick<Runtime, 'wallMs'>): Refusal | undefined {
  if (!Array.isArray(answer) || answer.length === 0) return undefined
  let askedMs = 0
  for (const outcome of answer as readonly EffectOutcome<unknown>[]) {
    if (outcome?.kind !== 'retry' || !isOverload(outcome)) return undefined
    askedMs = Math.max(askedMs, retryAfterMs(outcome, runtime) ?? 0)
  }
  return { askedMs }
}

/** What a call says of its target's load. */
export function endOf(settled: readonly Settled[], isRefused: boolean): DeliveryEnd {
  if (isRefused) return 'overload'
  return settled.some(({ settlement }) => settlement.kind === 'delivered') ? 'delivered' : 'failed'
}

/** As much of an error as a person needs to find its cause, as a text that every store holds. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.slice(0, maxErrorLength).toWellFormed().replaceAll('\0', '')
}
