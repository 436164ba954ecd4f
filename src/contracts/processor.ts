/** The columns that name one row, with their values. */
export type RowKey = Readonly<Record<string, unknown>>

/**
 * Any system with work of its own that a strong read should wait for: one that computes embeddings, fills a search
 * index, or processes files in batches.
 *
 * For a read to be right, a key must be pending from the moment that the write which causes its work is accepted: call
 * the processor beside the write, or follow `db.changes({ when: 'accepted' })` and note each change before anything is
 * awaited (a `gap` means that any row may have changed). A read asks at the end of the tick in which it waits.
 */
export interface Processor {
  /** Unique among those followed at once. */
  readonly name: string

  /** Whether work for this row waits or is under way. Answers from memory: it is asked often. */
  pending(table: string, key: RowKey): boolean

  /**
   * Resolves when nothing is pending for this row, and everything it wrote was accepted by the engine. Rejects when
   * the work failed for good: the read that waits fails with that.
   *
   * @param signal aborts when nobody waits any more
   */
  idle(table: string, key: RowKey, signal: AbortSignal): Promise<void>

  /** Somebody waits for this row: do its work now, rather than when a batch is full. */
  flush(table: string, key: RowKey): void | Promise<void>
}
