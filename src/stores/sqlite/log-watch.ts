/**
 * Hears that another process may have committed effects: the write-ahead log has changed, by whomever.
 *
 * Keeps: no law hangs on it: whoever does effects looks all the same. Law 7: while the log changes all the time, also by
 * this process, it is told of ever less often.
 *
 *   watching ──the log changes: told──▶ pausing ──▶ watching, and told of what has changed meanwhile
 *
 * The log only, and never the database: there, systems whose watches open the file would drop the locks that this
 * process holds on it when they close it (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
import { watch, type FSWatcher } from 'node:fs'
import type { Runtime, Timer } from '../../contracts/runtime.ts'

/** A commit is many changes of the file, and seen by others after the last of them. */
const firstPauseMs = 1
/** Longer, and who does one effect after the other stays behind: what it commits itself is what is seen next. */
const longestPauseMs = 10
/** The log has come to rest when it does not change for so long. */
const restMs = 5

export class LogWatch {
  readonly #path: string
  readonly #runtime: Runtime
  readonly #onEffects: (kind: string) => void
  /** With the time until which somebody wants to hear of them. */
  readonly #kinds = new Map<string, number>()
  #watcher: FSWatcher | undefined
  #pausing: Timer | undefined
  #pauseMs = firstPauseMs
  #watchedAtMs = 0
  #isClosed = false

  constructor(path: string, runtime: Runtime, onEffects: (kind: string) => void) {
    this.#path = path
    this.#runtime = runtime
    this.#onEffects = onEffects
  }

  hear(kind: string, forMs: number): void {
    this.#kinds.set(kind, this.#runtime.monotonicMs() + forMs)
    if (this.#watcher === undefined && this.#pausing === undefined) this.#watch()
  }

  close(): void {
    this.#isClosed = true
    this.#watcher?.close()
    this.#pausing?.cancel()
  }

  #watch(): void {
    if (this.#isClosed) return
    const nowMs = (this.#watchedAtMs = this.#runtime.monotonicMs())
    for (const [kind, untilMs] of this.#kinds) if (untilMs < nowMs) this.#kinds.delete(kind)
    if (this.#kinds.size === 0) return
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#changed())
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      // There is no log yet, or no watch to be had: whoever asks again tries again.
    }
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #changed(): void {
    if (this.#watcher === undefined) return
    this.#unwatch()
    const restedMs = this.#runtime.monotonicMs() - this.#watchedAtMs
    this.#pauseMs = restedMs > restMs ? firstPauseMs : Math.min(longestPauseMs, 2 * this.#pauseMs)
    this.#pausing = this.#runtime.after(this.#pauseMs, () => this.#goOn(), 'background')
    this.#tell()
  }

  #goOn(): void {
    this.#pausing = undefined
    this.#watch()
    this.#tell()
  }

  #tell(): void {
    for (const kind of this.#kinds.keys()) this.#onEffects(kind)
  }
}
