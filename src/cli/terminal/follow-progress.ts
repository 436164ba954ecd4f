/** One line for a run without an end, whatever number of files it follows: rows so far, and how many come now. */
import { progressBar, type Progress, type ProgressBar } from './progress.ts'

/** The rate is that of the last so many seconds. */
const RATE_SECONDS = 5

export class FollowProgress implements Disposable {
  readonly #bar: ProgressBar
  readonly #timer: NodeJS.Timeout
  /** What the loads under way tell of themselves. */
  readonly #loads = new Map<symbol, Progress>()
  /** Rows of the loads that have ended. */
  #endedRows = 0
  /** All rows at the end of each of the last seconds, oldest first. */
  readonly #seconds: number[] = [0]

  constructor(name: string, stream: NodeJS.WriteStream) {
    this.#bar = progressBar(name, undefined, stream)
    this.#timer = setInterval(() => this.#tick(), 1_000)
    // It shows what goes on and keeps nothing going.
    this.#timer.unref()
  }

  /** The share of one load; to stop it leaves the line to the others. */
  share(): ProgressBar {
    const id = Symbol('load')
    return {
      update: (_bytesRead, progress) => {
        this.#loads.set(id, progress)
        this.#show()
      },
      say: (text) => this.say(text),
      clear: () => this.clear(),
      stop: () => {
        this.#endedRows += this.#loads.get(id)?.rows ?? 0
        this.#loads.delete(id)
      },
    }
  }

  say(text: string): void {
    this.#bar.say(text)
  }

  /** Makes room for what is printed elsewhere on the same terminal. */
  clear(): void {
    this.#bar.clear()
  }

  readonly stop = (): void => this.#bar.stop();

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#bar.stop()
  }

  #tick(): void {
    this.#seconds.push(this.#rows)
    if (this.#seconds.length > RATE_SECONDS) this.#seconds.shift()
    this.#show()
  }

  get #rows(): number {
    return [...this.#loads.values()].reduce((sum, { rows }) => sum + rows, this.#endedRows)
  }

  #show(): void {
    const loads = [...this.#loads.values()]
    const [oldest = 0] = this.#seconds
    this.#bar.update(0, {
      rows: this.#rows,
      rowsPerSecond: (this.#rows - oldest) / this.#seconds.length,
      queued: loads.reduce((sum, { queued }) => sum + queued, 0),
      longestTransactionMs: Math.max(0, ...loads.map(({ longestTransactionMs }) => longestTransactionMs)),
    })
  }
}
