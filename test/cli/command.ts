/**
 * The command line as a user runs it: a process of its own, in a folder of its own, with what it says taken down.
 * What a test waits for is said or is seen in the database; no test waits for a time.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as tick } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'

export const root = path.resolve(import.meta.dirname, '../..')
export const program = path.join(root, 'bin/tidemark.js')

export interface Result {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

interface CommandOptions {
  /** Another temporary folder than the test's own. */
  readonly temporary?: string
  /** The id of the user that runs it. */
  readonly user?: number
  /** More of these than a plain shell has. */
  readonly environment?: NodeJS.ProcessEnv
  /** Keeps standard input open; otherwise there is none. */
  readonly hasInput?: boolean
}

/** `tidemark …`, running. It is killed at the end of the test, if it still runs. */
export class Command {
  /** Resolves when the process is gone and all that it said was read. */
  readonly ended: Promise<Result>
  stdout = ''
  stderr = ''
  readonly #process: ChildProcess
  #result: Result | undefined

  constructor(folder: string, parameters: readonly string[], options: CommandOptions = {}) {
    const { temporary = path.join(folder, 'tmp'), user, hasInput = false, environment = {} } = options
    mkdirSync(temporary, { recursive: true })
    this.#process = spawn(process.execPath, [program, ...parameters], {
      cwd: folder,
      stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { ...plainEnvironment(), ...environment, TMPDIR: temporary },
      ...(user === undefined ? {} : { uid: user, gid: user }),
    })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    // Writing to a process that has ended is no fault of the test.
    this.#process.stdin?.on('error', () => undefined)
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject)
      this.#process.on('close', (code, signal) => {
        const { stdout, stderr } = this
        this.#result = { code, signal, stdout, stderr }
        resolve(this.#result)
      })
    })
    onTestFinished(async () => {
      this.#process.kill('SIGKILL')
      await this.ended
      expect(stdoutAndStderr(this), 'no stack trace in the face of a user').not.toMatch(/^\s+at .+:\d+/m)
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get hasEnded(): boolean {
    return this.#result !== undefined
  }

  /** Resolves when this text was said. */
  said(text: string): Promise<void> {
    return this.reached(`says "${text}"`, () => stdoutAndStderr(this).includes(text))
  }

  /** Resolves when the condition, named by what the command does, holds. @throws when it ended before */
  async reached(does: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (this.hasEnded) throw new Error(`it ended before it ${does}.\n${stdoutAndStderr(this)}`)
      await tick(5)
    }
  }

  /** Writes to its standard input. */
  type(text: string | Buffer): void {
    this.#process.stdin?.write(text)
  }

  endInput(): void {
    this.#process.stdin?.end()
  }

  /** Stops reading what it prints, as `| head` does when it has enough. */
  closeOutput(): void {
    this.#process.stdout?.destroy()
  }

  send(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Stops all its threads where they are, until `SIGCONT`; a signal sent is not a signal received. */
  async pause(): Promise<void> {
    this.send('SIGSTOP')
    await this.reached('stands still', () => areThreadsStopped(this.#process.pid))
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Result> {
    this.send(signal)
    return this.ended
  }
}

/** Runs `tidemark …` to its end. */
export function tidemark(folder: string, ...parameters: readonly string[]): Promise<Result> {
  return new Command(folder, parameters).ended
}

/** Runs `tidemark …`, which must succeed and complain of nothing. @returns what it printed */
export async function succeed(folder: string, ...parameters: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tidemark(folder, ...parameters)
  expect({ code, stderr }, `tidemark ${parameters.join(' ')}\n${stdout}`).toEqual({ code: 0, stderr: '' })
  return stdout
}

/** What a shell without a terminal has, and sources that are compiled; nothing that makes programs print colours or pretend to be in a test. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_COMPILE_CACHE, NODE_OPTIONS } = process.env
  return { PATH, HOME, NODE_COMPILE_CACHE, NODE_OPTIONS }
}

/** Linux shows the state of each thread; elsewhere the state of the process must do. */
function areThreadsStopped(pid: number | undefined): boolean {
  if (!existsSync('/proc/self/task'))
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T')
  return readdirSync(`/proc/${pid}/task`).every((thread) =>
    / [TZX] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').replace(/^.*\)/s, '')),
  )
}

function stdoutAndStderr({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return stdout + stderr
}
