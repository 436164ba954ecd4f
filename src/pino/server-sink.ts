/**
 * Lines to a server, in their order, one request at a time.
 *
 * Owns: the lines that the server has not said are committed. They stay here until it does.
 * Keeps: nothing is dropped. A request that fails is sent again, with what the server had not taken yet, until it
 * succeeds or the time to close is over; a full buffer holds pino back. How it could double: an answer that is lost
 * behind its commit; the lines are then sent again.
 *
 *   idle ──line──▶ lingering ──enough, or time, or flush──▶ sending ──taken──▶ idle
 *                                                            ▲  │ failed
 *                                                            └──┴ backing off
 */
import type { Runtime } from '../contracts/runtime.ts'
import { deadline } from './deadline.ts'
import { postLines, type Answer } from './post.ts'
import type { PinoDefaults, PinoServerOptions } from './options.ts'
import type { Sink } from './sink.ts'

type Settings = PinoServerOptions & PinoDefaults

const linesPerRequest = 1_000
const charactersPerRequest = 1_000_000
const firstBackoffMs = 100
const longestBackoffMs = 10_000

export class ServerSink implements Sink {
  readonly #settings: Settings
  readonly #runtime: Runtime
  readonly #complain: (text: string) => void
  readonly #giveUp = new AbortController()
  #lines: string[] = []
  #characters = 0
  /** Counted from the beginning: what came in, and what the server has. */
  #taken = 0
  #delivered = 0
  /** Up to here somebody waits: no linger. */
  #wanted = 0
  #sending: Promise<void> | undefined
  #endLinger = (): void => undefined
  #progress = Promise.withResolvers<void>()
  #isComplaining = false

  constructor(settings: Settings, runtime: Runtime, complain: (text: string) => void) {
    this.#settings = settings
    this.#runtime = runtime
    this.#complain = complain
  }

  async write(lines: readonly string[]): Promise<void> {
    const { maxLines, maxCharacters } = this.#settings
    for (const line of lines) {
      this.#lines.push(line)
      this.#characters += line.length
    }
    this.#taken += lines.length
    this.#start()
    while (this.#lines.length > maxLines || this.#characters > maxCharacters) await this.#progress.promise
  }

  async flush(): Promise<void> {
    const upTo = this.#taken
    this.#wanted = upTo
    this.#start()
    while (this.#delivered < upTo && !this.#giveUp.signal.aborted) await this.#progress.promise
  }

  async close(): Promise<readonly string[]> {
    const late = deadline(this.#runtime, this.#settings.closeTimeoutMs)
    await Promise.race([this.flush(), late.passed])
    late.cancel()
    this.#giveUp.abort()
    this.#moved()
    await this.#sending
    return this.#lines
  }

  #start(): void {
    if (this.#isReady) this.#endLinger()
    if (this.#lines.length > 0) this.#sending ??= this.#send()
  }

  get #isReady(): boolean {
    const isEnough = this.#lines.length >= linesPerRequest || this.#characters >= charactersPerRequest
    return isEnough || this.#wanted > this.#delivered
  }

  /** Until everything is sent. */
  async #send(): Promise<void> {
    const { signal } = this.#giveUp
    let failures = 0
    while (this.#lines.length > 0 && !signal.aborted) {
      if (!this.#isReady) await this.#linger(this.#settings.lingerMs)
      const lines = this.#next()
      const answer = await postLines(this.#settings, lines, this.#runtime, signal)
      if (answer.taken > 0) this.#drop(answer.taken)
      if (answer.isDone || signal.aborted) {
        failures = 0
        this.#isComplaining = false
        continue
      }
      this.#tell(answer)
      await this.#backOff(answer, failures++)
    }
    // Here and not a turn later: whoever comes in between must find nobody sending.
    this.#sending = undefined
  }

  #next(): readonly string[] {
    let characters = 0
    const tooMany = this.#lines.findIndex((line, index) => {
      characters += line.length
      return index === linesPerRequest || (index > 0 && characters > charactersPerRequest)
    })
    return tooMany < 0 ? this.#lines.slice() : this.#lines.slice(0, tooMany)
  }

  #drop(count: number): void {
    const delivered = this.#lines.slice(0, count)
    this.#lines = this.#lines.slice(count)
    this.#characters -= delivered.reduce((sum, line) => sum + line.length, 0)
    this.#delivered += delivered.length
    this.#moved()
  }

  #moved(): void {
    const { resolve } = this.#progress
    this.#progress = Promise.withResolvers()
    resolve()
  }

  async #linger(ms: number): Promise<void> {
    const late = deadline(this.#runtime, ms)
    const ended = Promise.withResolvers<void>()
    this.#endLinger = ended.resolve
    await Promise.race([late.passed, ended.promise])
    late.cancel()
  }

  /** As long as the server says, or twice as long as the last time; a little apart from others who wait as well. */
  async #backOff({ retryAfterMs }: Answer, failures: number): Promise<void> {
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** failures)
    const waitMs = (retryAfterMs ?? backoffMs) * (1 + 0.2 * this.#runtime.random())
    const late = deadline(this.#runtime, waitMs)
    const { signal } = this.#giveUp
    const givenUp = Promise.withResolvers<void>()
    const giveUp = (): void => givenUp.resolve()
    signal.addEventListener('abort', giveUp, { once: true })
    await Promise.race([late.passed, givenUp.promise])
    signal.removeEventListener('abort', giveUp)
    late.cancel()
  }

  /** Once a trouble, not once a try. */
  #tell({ problem }: Answer): void {
    if (this.#isComplaining) return
    this.#isComplaining = true
    const { url } = this.#settings
    this.#complain(
      `${url} does not take log lines: ${problem}. ${this.#lines.length} wait; they are sent again.`,
    )
  }
}
