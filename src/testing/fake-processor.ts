import type { Processor, RowKey } from '../index.ts'

interface Work {
  count: number
  readonly done: PromiseWithResolvers<void>
}

/**
 * A processor whose work a test begins and ends, for tests of strong reads:
 * `db.follow(fake)`, `fake.begin('files', { path })`, read, `fake.finish('files', { path })`.
 */
export class FakeProcessor implements Processor {
  readonly name: string
  /** Each row that a read asked for, in order. */
  readonly flushes: { readonly table: string; readonly key: RowKey }[] = []
  readonly #work = new Map<string, Work>()
  readonly #onFlush: ((table: string, key: RowKey) => void | Promise<void>) | undefined
  #hangs = false

  /** @param onFlush what it does when a read waits for a row; by default nothing */
  constructor(name = 'fake', onFlush?: (table: string, key: RowKey) => void | Promise<void>) {
    this.name = name
    this.#onFlush = onFlush
  }

  /** Work for this row is pending from now on. Begun twice, it must be finished twice. */
  begin(table: string, key: RowKey): void {
    const work = this.#work.get(rowOf(table, key))
    if (work) work.count++
    else this.#work.set(rowOf(table, key), { count: 1, done: Promise.withResolvers() })
  }

  /** Ends one piece of the row's work. What it was to write must have been written to the engine before. */
  finish(table: string, key: RowKey): void {
    const work = this.#workOf(table, key)
    if (this.#hangs || --work.count > 0) return
    this.#work.delete(rowOf(table, key))
    work.done.resolve()
  }

  /** All work for this row failed for good: who waits for it is told so, and nothing is pending any more. */
  fail(table: string, key: RowKey, error: unknown): void {
    const { done } = this.#workOf(table, key)
    if (this.#hangs) return
    this.#work.delete(rowOf(table, key))
    // Nobody may be waiting.
    done.promise.catch(() => undefined)
    done.reject(error)
  }

  /** It dies: what is pending stays so, whatever else is called. */
  hang(): void {
    this.#hangs = true
  }

  pending(table: string, key: RowKey): boolean {
    return this.#work.has(rowOf(table, key))
  }

  async idle(table: string, key: RowKey, signal: AbortSignal): Promise<void> {
    const work = this.#work.get(rowOf(table, key))
    if (!work) return
    const over = Promise.withResolvers<never>()
    const stop = (): void => over.reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([work.done.promise, over.promise])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  flush(table: string, key: RowKey): void | Promise<void> {
    this.flushes.push({ table, key })
    return this.#onFlush?.(table, key)
  }

  #workOf(table: string, key: RowKey): Work {
    const work = this.#work.get(rowOf(table, key))
    if (!work) throw new Error(`no work was begun for ${rowOf(table, key)}`)
    return work
  }
}

/** The same for keys that name the same columns in another order. */
function rowOf(table: string, key: RowKey): string {
  const columns = Object.entries(key).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([table, columns], (_, value: unknown) => {
    if (typeof value !== 'bigint') return value
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}n`
  })
}
