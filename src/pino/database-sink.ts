/**
 * Lines into an SQLite file, by a log store of their own on pino's thread.
 *
 * Keeps: nothing is dropped. A line that is no entry is a dead letter; one that is not known to be committed when the
 * time is over is given back.
 */
import type { Runtime } from '../contracts/runtime.ts'
import { InvalidOperationError, QueueFullError } from '../errors.ts'
import { parseNdjson } from '../logs/formats/ndjson.ts'
import { openLogs, type LogRow, type LogStore } from '../logs/index.ts'
import type { Receipt } from '../writes/receipt.ts'
import { sqlite } from '../stores/sqlite/index.ts'
import { deadline } from './deadline.ts'
import type { PinoDatabaseOptions } from './options.ts'
import type { Sink } from './sink.ts'

interface Load {
  /** Committed when the tidemark is here. */
  readonly seq: number
  readonly lines: readonly string[]
}

export class DatabaseSink implements Sink {
  readonly #logs: LogStore
  readonly #runtime: Runtime
  readonly #closeTimeoutMs: number
  #pending: Load[] = []
  readonly #refused: string[] = []
  /** There is no room for these yet. */
  #waiting: readonly string[] = []

  /** @throws as `openLogs` */
  static async open(
    { database, table, retention }: PinoDatabaseOptions,
    closeTimeoutMs: number,
    runtime: Runtime,
  ): Promise<DatabaseSink> {
    const logs = await openLogs(sqlite(database), {
      ...(table !== undefined && { table }),
      ...(retention !== undefined && { retention }),
    })
    return new DatabaseSink(logs, closeTimeoutMs, runtime)
  }

  constructor(logs: LogStore, closeTimeoutMs: number, runtime: Runtime) {
    this.#logs = logs
    this.#runtime = runtime
    this.#closeTimeoutMs = closeTimeoutMs
    logs.tidemark.on('commit', ({ tidemark }) => {
      const settled = this.#pending.findIndex(({ seq }) => seq > tidemark.seq)
      this.#pending = settled < 0 ? [] : this.#pending.slice(settled)
    })
  }

  async write(lines: readonly string[]): Promise<void> {
    const clock = { lastTs: Number.NaN, referenceMs: this.#runtime.wallMs() }
    const rows: LogRow[] = []
    const unreadable: { text: string; error: string }[] = []
    for (const text of lines) {
      const row = parseNdjson(text, clock)
      if (typeof row === 'string') unreadable.push({ text, error: row })
      else rows.push(row)
    }
    this.#waiting = lines
    try {
      const { position } = await this.#accept(() => this.#logs.storeRows(rows, unreadable)).then(unboxed)
      this.#pending.push({ seq: position.seq, lines })
      this.#waiting = []
    } catch (error) {
      if (!(error instanceof InvalidOperationError)) throw error
      this.#waiting = []
      // Together they are more than the queue may ever hold, or one is.
      if (lines.length === 1) this.#refused.push(...lines)
      else for (const line of lines) await this.write([line])
    }
  }

  async flush(): Promise<void> {
    await this.#logs.tidemark.flush()
  }

  async close(): Promise<readonly string[]> {
    const late = deadline(this.#runtime, this.#closeTimeoutMs)
    await Promise.race([
      this.#logs.close({ timeoutMs: this.#closeTimeoutMs }).catch(() => undefined),
      late.passed,
    ])
    late.cancel()
    return [...this.#refused, ...this.#pending.flatMap(({ lines }) => lines), ...this.#waiting]
  }

  /** In a box: a promise of the receipt itself would wait for its commit. */
  async #accept(store: () => Receipt): Promise<{ readonly receipt: Receipt }> {
    const { tidemark } = this.#logs
    for (;;) {
      if (tidemark.isFull) await tidemark.ready()
      try {
        return { receipt: store() }
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error
        await tidemark.ready()
      }
    }
  }
}

function unboxed({ receipt }: { readonly receipt: Receipt }): { position: Receipt['position'] } {
  return { position: receipt.position }
}
