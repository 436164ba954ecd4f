/** What becomes of an effect, in the words of every target. */
import type { Effect, EffectDead, EffectOutcome, EffectRetry } from '../contracts/effect.ts'
import { TidemarkError } from '../errors.ts'

/** Without writes of its own: what targets are given is delivered, not answered with rows. */
export type TargetOutcome = EffectOutcome<unknown>

/** It may succeed later. `isOverload`: the target could not keep up, or is not there; left out, as the error's causes say. */
export function retry(
  error: unknown,
  { isOverload, afterMs }: { isOverload?: boolean | undefined; afterMs?: number | undefined } = {},
): EffectRetry {
  return {
    kind: 'retry',
    error,
    ...(isOverload !== undefined && { isOverload }),
    ...(afterMs !== undefined && { afterMs }),
  }
}

/** It can never succeed as it is. */
export function dead(error: unknown): EffectDead<unknown> {
  return { kind: 'dead', error }
}

/** What the target said, or that it said nothing. */
export function targetFailed(target: string, said: string, cause?: unknown): TidemarkError {
  return new TidemarkError('TARGET_FAILED', `${target}: ${said}`, {
    cause,
    retryable: true,
    outcome: 'unknown',
  })
}

/** The target refuses this effect, whenever it comes. */
export function effectRefused(target: string, effect: Effect, said: string, cause?: unknown): TidemarkError {
  return new TidemarkError('EFFECT_REFUSED', `${target} refuses ${nameOf(effect)}: ${said}`, {
    cause,
    hint: 'It is kept as a dead letter: mend the cause, then redrive it.',
  })
}

function nameOf({ kind, key, id }: Effect): string {
  return `the effect ${JSON.stringify(kind)}${key === undefined ? '' : ` of ${JSON.stringify(key)}`} (${id})`
}

/** Keeps each effect that `parse` can read, beside its place; the others are dead. */
export function parseEach<T>(
  target: string,
  effects: readonly Effect[],
  parse: (effect: Effect) => T,
): { readonly outcomes: TargetOutcome[]; readonly readable: readonly Readable<T>[] } {
  const readable: Readable<T>[] = []
  const outcomes = effects.map((effect, index): TargetOutcome => {
    try {
      readable.push({ index, effect, item: parse(effect) })
      return undefined
    } catch (error) {
      if (!(error instanceof UnreadablePayload)) throw error
      return dead(effectRefused(target, effect, error.message))
    }
  })
  return { outcomes, readable }
}

export interface Readable<T> {
  /** Its place among the effects. */
  readonly index: number
  readonly effect: Effect
  readonly item: T
}

/** Why a payload says nothing that the target understands. */
export class UnreadablePayload extends Error {}
