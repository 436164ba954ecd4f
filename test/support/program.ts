/**
 * Programs that run as processes of their own and say in lines how far they are: what matters is awaited by its
 * first word, so that nobody ever waits for a time. Knows nothing of a test runner: campaigns use it too.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import './compile-cache.ts'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProgramOptions {
  /** Options for Node itself. */
  readonly node?: readonly string[]
  readonly user?: number
}

export class Program {
  readonly lines: string[] = []
  /** Resolves when the process is gone and all that it said was read. */
  readonly ended: Promise<Exit>
  stderr = ''
  #hasEnded = false
  #waiting: { word: string; line: PromiseWithResolvers<string> }[] = []
  readonly #process: ChildProcessWithoutNullStreams

  constructor(program: URL, parameters: readonly (string | number)[] = [], options: ProgramOptions = {}) {
    this.#process = spawn(
      process.execPath,
      [...(options.node ?? []), program.pathname, ...parameters.map(String)],
      {
        stdio: 'pipe',
        ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
      },
    )
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#hear(line))
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    // Writing to a process that was killed is no fault of the writer.
    this.#process.stdin.on('error', () => undefined)
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject)
      this.#process.on('close', (code, signal) => {
        this.#hasEnded = true
        for (const { word, line } of this.#waiting) line.reject(this.#neverSaid(word))
        resolve({ code, signal })
      })
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** What follows `word` in the first line that begins with it, whether that was said already or not. */
  said(word: string): Promise<string> {
    const said = this.lines.find((line) => isSaying(line, word))
    if (said !== undefined) return Promise.resolve(said.slice(word.length + 1))
    if (this.#hasEnded) return Promise.reject(this.#neverSaid(word))
    const line = Promise.withResolvers<string>()
    this.#waiting.push({ word, line })
    return line.promise
  }

  has(word: string): boolean {
    return this.lines.some((line) => isSaying(line, word))
  }

  tell(line: string): void {
    this.#process.stdin.write(`${line}\n`)
  }

  /** No more lines will come for it. */
  endInput(): void {
    this.#process.stdin.end()
  }

  kill(): Promise<Exit> {
    this.#process.kill('SIGKILL')
    return this.ended
  }

  /** Asks it to end, as a supervisor does. */
  stop(): void {
    this.#process.kill('SIGTERM')
  }

  /** Stops the process where it is, with all that it holds. */
  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.#process.kill('SIGCONT')
  }

  #hear(line: string): void {
    this.lines.push(line)
    const heard = this.#waiting.filter(({ word }) => isSaying(line, word))
    this.#waiting = this.#waiting.filter((waiting) => !heard.includes(waiting))
    for (const waiting of heard) waiting.line.resolve(line.slice(waiting.word.length + 1))
  }

  #neverSaid(word: string): Error {
    return new Error(`the child ended without saying "${word}".\n${this.lines.join('\n')}\n${this.stderr}`)
  }
}

function isSaying(line: string, word: string): boolean {
  return line === word || line.startsWith(`${word} `)
}
