/**
 * Copies the write-ahead log back into the database beside the writes, on a thread of its own.
 *
 * SQLite would do it inside the COMMIT that reaches the limit, and the writes would wait for the disk meanwhile:
 * measured, two thirds of the writer's time (docs/adr/0004-checkpoints-apart.md).
 */
import { checkpointsApart } from './connection.ts'
import type { LogState, ThreadSettings } from './messages.ts'
import { Thread } from './thread.ts'

export class Checkpoints {
  readonly #settings: ThreadSettings
  readonly #afterPages: number
  #thread: Thread | undefined
  #isRunning = false
  #isClosed = false
  /** Pages in the log that are not copied back. */
  pages = 0
  count = 0

  constructor(settings: ThreadSettings) {
    this.#settings = { ...settings, role: 'checkpointer' }
    this.#afterPages = checkpointsApart(settings.settings)
      ? settings.settings.walAutocheckpoint
      : Number.POSITIVE_INFINITY
  }

  /** Called after every commit with what the log holds now. */
  observe(log: LogState | undefined): void {
    if (log === undefined) return
    this.pages = log.pages - log.copiedBack
    if (this.pages >= this.#afterPages && !this.#isRunning && !this.#isClosed) void this.#run()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#thread?.call('close', {}).catch(() => undefined)
    await this.#thread?.terminate()
  }

  abandon(): void {
    this.#thread?.abandon()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    try {
      if (this.#thread === undefined || this.#thread.isDead) {
        this.#thread = new Thread(this.#settings, () => undefined)
        await this.#thread.call('open', {})
      }
      const { pages, copiedBack } = await this.#thread.call('checkpoint', {})
      this.pages = pages - copiedBack
      this.count++
    } catch {
      // Nothing is lost by a checkpoint that failed: the log is whole, and the next commit asks again.
    } finally {
      this.#isRunning = false
    }
  }
}
