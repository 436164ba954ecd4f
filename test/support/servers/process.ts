/** A server's process: alive until it is stopped, at the latest when the tests' own process ends. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'

/** Whose process it is to be; else it is this one's user's. */
export interface Identity {
  readonly uid?: number
  readonly gid?: number
}

export class ServerProcess {
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #kill = (): void => void this.signal('SIGKILL')

  private constructor(process_: ChildProcess) {
    this.#process = process_
    // Its own processes hold its output too: until they have ended, the data folder is in use.
    this.#ended = once(process_, 'close')
    process.once('exit', this.#kill)
  }

  /** Starts a server, and resolves when a line of its log says that it is ready. */
  static async start(
    program: string,
    options: readonly string[],
    ready: RegExp,
    identity: Identity = {},
  ): Promise<ServerProcess> {
    const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', ...identity })
    const server = new ServerProcess(child)
    const log: string[] = []
    const isReady = Promise.withResolvers<void>()
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        log.push(line)
        if (ready.test(line)) isReady.resolve()
      })
    }
    child.once('error', isReady.reject)
    child.once('close', () => isReady.reject(new Error(`${program} ended at once.\n${log.join('\n')}`)))
    try {
      await isReady.promise
    } catch (error) {
      process.off('exit', server.#kill)
      throw error
    }
    return server
  }

  /** To it and to the processes that it has started. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process
    if (pid === undefined) return
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    const children = (stdout ?? '')
      .split('\n')
      .map(Number)
      .filter((child) => child > 0)
    for (const one of [pid, ...children]) {
      try {
        process.kill(one, signal)
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** To it alone: it sees to its processes itself. @returns when it has ended */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal)
    await this.#ended
  }

  /** What it holds is thrown away, so it needs no time to write it down. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill)
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.signal('SIGKILL')
      await this.#ended
    }
  }
}

/** A port of this machine that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
