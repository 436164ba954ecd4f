/** A session: the calls of an engine, with the memory of what was written and seen in it. */
import { Client, type Tables } from './client.ts'
import type { WaitOptions } from './reads/read-options.ts'
import type { Reads } from './reads/reader.ts'
import type { SessionOptions, SessionRejection, SessionState } from './reads/session.ts'
import { SessionWrites } from './reads/session-writes.ts'
import type { WriteEngine } from './writes/engine.ts'

/**
 * One user's work, be it one request or many: read-your-writes, monotonic reads, monotonic writes, and writes that
 * follow reads. It holds nothing that must be closed.
 */
export class Session<DB extends Tables> extends Client<DB> {
  readonly #state: SessionState
  readonly #reads: Reads

  /** Use `db.session()`. */
  constructor(engine: WriteEngine, reads: Reads, options: SessionOptions) {
    const state = reads.newSession(options)
    super(new SessionWrites(engine, state), reads.readerOf(state))
    this.#state = state
    this.#reads = reads
  }

  /** All that the session wrote and has seen, for `db.session(bookmark)` or `after`, in any process on this database. */
  get bookmark(): string {
    return this.#state.bookmark
  }

  /** From now on the session also sees what this bookmark stands for. @throws TidemarkError `INVALID_BOOKMARK` */
  include(bookmark: string): void {
    this.#state.include(bookmark)
  }

  /**
   * Waits until everything that the session follows, and another engine has accepted, is committed. A write before
   * that could overtake it, so it throws `SESSION_BEHIND`.
   *
   * @throws StaleReadError; TidemarkError `POSITION_LOST`, `BOOKMARK_EXPIRED`
   */
  caughtUp(options: WaitOptions = {}): Promise<void> {
    return this.#reads.catchUp(this.#state, options)
  }

  /** The session's own writes that were rejected, oldest first, at most the newest 1,000. Listing them is being told. */
  rejections(): SessionRejection[] {
    return this.#state.rejections()
  }
}
