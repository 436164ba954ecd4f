/** Parts as processes of their own. One that dies is started again, under its name and on its port. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Part {
  readonly name: string
  readonly command: readonly string[]
  /** The first word of the line that says that it is there. */
  readonly ready: string
}

const main = new URL('../main.ts', import.meta.url).pathname
const restartMs = 500

export class Running {
  readonly name: string
  readonly #part: Part
  readonly #say: (line: string) => void
  #process: ChildProcess
  #ready = Promise.withResolvers<void>()
  #isUp = false
  #isStopping = false

  constructor(part: Part, say: (line: string) => void = console.log) {
    this.name = part.name
    this.#part = part
    this.#say = say
    this.#process = this.#start()
  }

  /** It has said so since it was last started. */
  get isUp(): boolean {
    return this.#isUp
  }

  get isReady(): Promise<void> {
    return this.#ready.promise
  }

  /** kill -9; it is started again by itself. */
  kill(): void {
    this.#process.kill('SIGKILL')
    this.#down()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const over = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const force = setTimeout(() => this.#process.kill('SIGKILL'), 15_000)
    await over
    clearTimeout(force)
  }

  #start(): ChildProcess {
    const { name, command, ready } = this.#part
    const child = spawn(process.execPath, [main, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const input of [child.stdout, child.stderr])
      createInterface({ input }).on('line', (line) => {
        // What one that was killed had said is read late.
        if (line.startsWith(`${ready} `) && child === this.#process) this.#up()
        else if (!line.startsWith('dashboard ')) this.#say(`[${name}] ${line}`)
      })
    this.#say(`[${name}] process ${child.pid}`)
    child.once('exit', (code, signal) => {
      this.#down()
      if (this.#isStopping) return
      this.#say(`[${name}] ended (${signal ?? code}), and is started again`)
      setTimeout(() => {
        if (!this.#isStopping) this.#process = this.#start()
      }, restartMs)
    })
    return child
  }

  #up(): void {
    if (this.#process.killed) return
    this.#isUp = true
    this.#ready.resolve()
  }

  #down(): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#ready = Promise.withResolvers()
  }
}
