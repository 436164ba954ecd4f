/**
 * Processors: other systems with work of their own, for which strong reads wait.
 *
 * Owns: who is followed, and the waits for them.
 * Keeps: law 6 (a read goes on only when every processor says that it has nothing pending for the rows named; one that
 * fails makes the read fail, one that never answers lets its time run out), law 7 (a wait ends with its deadline, and
 * its signal tells the processors so).
 *
 *   asking ──pending──▶ flushed, waiting for idle ──idle──▶ asking ──nothing pending──▶ done
 *                         ▲     │                             │
 *                         └─────┼─────── a pause ◀──pending───┘
 *                               └──threw, rejected──▶ PROCESSOR_FAILED
 *
 * How it could break: `idle` that resolves too early is not believed, `pending` is asked again; between two such
 * answers time must pass, or a processor that always says both would starve the timer that ends the read.
 */
import { inspect } from 'node:util'
import type { Processor, RowKey } from '../contracts/processor.ts'
import type { Runtime } from '../contracts/runtime.ts'
import { TidemarkError, unprefixed } from '../errors.ts'
import type { Deadline } from './deadline.ts'
import type { TableKey } from './read-options.ts'

/** The first pause before a processor is asked again; each further one is twice as long, up to the longest. */
const firstPauseMs = 1
const longestPauseMs = 100

const methods = ['pending', 'idle', 'flush'] as const

interface Row {
  readonly processor: Processor
  readonly table: string
  readonly key: RowKey
}

/** Kinds of effects, which a strong read waits for where it names them. */
export interface EffectKinds {
  /** Whether somebody handles this kind, or has. */
  isKnown(kind: string): Promise<boolean>
  /**
   * Resolves when nothing is unfinished of these keys that was committed before the call.
   *
   * @param signal aborts when nobody waits any more
   */
  idle(kind: string, keys: readonly string[], signal: AbortSignal): Promise<void>
}

export class Processors {
  /** Set where the store keeps effects. */
  effects: EffectKinds | undefined
  readonly #runtime: Runtime
  readonly #followed = new Map<string, Processor>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /**
   * @returns a function that ends it; reads that wait already go on waiting
   * @throws TidemarkError `INVALID_CALL`
   */
  follow(processor: Processor): () => void {
    const problem = problemOf(processor)
    if (problem !== undefined) throw invalid(problem, 'See `Processor` for what it must have.')
    const { name } = processor
    if (this.#followed.has(name))
      throw invalid(`a processor named "${name}" is followed already`, 'Give each a name of its own.')
    this.#followed.set(name, processor)
    return () => {
      // Another may be followed under this name by now.
      if (this.#followed.get(name) === processor) this.#followed.delete(name)
    }
  }

  /**
   * @param maybeEffects a name that is not followed may be that of a kind of effects: that is seen to when it is waited for
   * @throws TidemarkError `INVALID_CALL` when one of these names is not followed
   */
  require(names: readonly string[], maybeEffects = false): void {
    if (maybeEffects && this.effects !== undefined) return
    const unknown = names.find((name) => !this.#followed.has(name))
    if (unknown !== undefined) throw this.#unknown(unknown)
  }

  #unknown(name: string): TidemarkError {
    const known = [...this.#followed.keys()].join(', ') || 'none'
    return invalid(
      `no processor named ${inspect(name)} is followed (followed: ${known}), nor are effects of this kind handled`,
      'Call `db.follow()` or `db.effects.handle()`.',
    )
  }

  /**
   * Waits until no effect of these kinds is unfinished for any of these rows.
   *
   * @param names of processors too, which are passed over
   * @throws StaleReadError; TidemarkError `INVALID_CALL`, `DEAD_LETTERED`
   */
  async waitForEffects(
    names: readonly string[],
    keys: readonly string[],
    deadline: Deadline,
  ): Promise<boolean> {
    const kinds = names.filter((name) => !this.#followed.has(name))
    const { effects } = this
    if (kinds.length === 0 || effects === undefined) return false
    for (const kind of kinds) {
      if (!(await effects.isKnown(kind))) throw this.#unknown(kind)
      if (keys.length === 0) continue
      const nobodyWaits = new AbortController()
      const done = effects.idle(kind, keys, nobodyWaits.signal)
      const wait = { done, cancel: () => nobodyWaits.abort() }
      await deadline.wait(wait, () => `effects of kind "${kind}" were unfinished`)
    }
    return keys.length > 0
  }

  /**
   * Waits until these processors have nothing pending for any of these rows.
   *
   * @param names undefined: all that are followed
   * @returns whether there was anybody to ask: who is idle now may have written a moment ago
   * @throws StaleReadError; TidemarkError `PROCESSOR_FAILED`, `INVALID_CALL`
   */
  async waitFor(
    names: readonly string[] | undefined,
    keys: readonly TableKey[],
    deadline: Deadline,
  ): Promise<boolean> {
    this.require(names ?? [], true)
    if (names?.length === 0 || keys.length === 0 || this.#followed.size === 0) return false
    // Who follows `changes({ when: 'accepted' })` hears of a write at the end of the tick it was made in.
    await new Promise<void>((resolve) => this.#runtime.atEndOfTick(resolve))
    const followed = [...this.#followed.values()].filter(({ name }) => names?.includes(name) ?? true)
    const waiting = new Set(
      followed
        .flatMap((processor) => keys.map(([table, key]): Row => ({ processor, table, key })))
        .filter(isPending),
    )
    if (waiting.size === 0) return followed.length > 0
    const nobodyWaits = new AbortController()
    const giveUp = (): void => nobodyWaits.abort()
    const rows = [...waiting].map(async (row) => {
      await this.#finish(row, nobodyWaits.signal)
      waiting.delete(row)
    })
    try {
      await deadline.wait({ done: Promise.all(rows), cancel: giveUp }, () => stillPending(waiting))
    } finally {
      giveUp()
    }
    return true
  }

  /** Names of those that have work for this row. @throws TidemarkError `PROCESSOR_FAILED` */
  pendingNames(table: string, key: RowKey): string[] {
    return [...this.#followed.values()]
      .filter((processor) => isPending({ processor, table, key }))
      .map(({ name }) => name)
  }

  async #finish(row: Row, signal: AbortSignal): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await flushed(row, signal)
      if (signal.aborted || !isPending(row)) return
      await this.#pause(pauseMs, signal)
      if (signal.aborted) return
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>()
    const timer = this.#runtime.after(ms, over.resolve)
    const stop = (): void => {
      timer.cancel()
      over.resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
    await over.promise
    signal.removeEventListener('abort', stop)
  }
}

/** Resolves when the processor says that the row is idle. A flush that is still under way then is not waited for. */
async function flushed(row: Row, signal: AbortSignal): Promise<void> {
  const { processor, table, key } = row
  const flushFailed = Promise.withResolvers<never>()
  // It may fail when it is not waited for any more.
  flushFailed.promise.catch(() => undefined)
  try {
    Promise.resolve(processor.flush(table, key)).catch(flushFailed.reject)
    await Promise.race([processor.idle(table, key, signal), flushFailed.promise])
  } catch (cause) {
    // Told that nobody waits, it may reject; that is no failure.
    if (!signal.aborted) throw failed(row, cause)
  }
}

function isPending(row: Row): boolean {
  const { processor, table, key } = row
  let answer: unknown
  try {
    answer = processor.pending(table, key)
  } catch (cause) {
    throw failed(row, cause)
  }
  if (typeof answer === 'boolean') return answer
  // A promise would count as true for ever.
  throw failed(row, new TypeError(`pending() gave ${inspect(answer)} instead of true or false`))
}

function problemOf(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null)
    return `a processor must be an object, not ${inspect(given)}`
  const processor: Partial<Record<keyof Processor, unknown>> = given
  if (typeof processor.name !== 'string' || processor.name === '')
    return `a processor needs a name, not ${inspect(processor.name)}`
  const missing = methods.filter((method) => typeof processor[method] !== 'function')
  return missing.length === 0
    ? undefined
    : `processor "${processor.name}" has no ${missing.map((name) => `${name}()`).join(', ')}`
}

function stillPending(waiting: ReadonlySet<Row>): string {
  const [first, ...others] = waiting
  if (first === undefined) return 'all processors were idle'
  const more = others.length === 0 ? '' : `, and ${others.length} more,`
  return `processor "${first.processor.name}" had work pending for ${show(first)}${more}`
}

function failed(row: Row, cause: unknown): TidemarkError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new TidemarkError(
    'PROCESSOR_FAILED',
    `processor "${row.processor.name}" failed for ${show(row)}: ${unprefixed(reason)}. No rows were read.`,
    { cause, hint: 'Mend the processor, or read without it: leave it out of `processors`.' },
  )
}

function show({ table, key }: Row): string {
  return `row ${inspect(key, { breakLength: Infinity, maxStringLength: 60, maxArrayLength: 8 })} of table "${table}"`
}

function invalid(problem: string, hint: string): TidemarkError {
  return new TidemarkError('INVALID_CALL', `${problem}.`, { hint })
}
