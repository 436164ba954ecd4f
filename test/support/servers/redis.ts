/** A private Redis, or Valkey where only that is installed: on a port of its own, in memory unless told otherwise, gone afterwards. */
import { tmpdir } from 'node:os'
import { Redis } from 'ioredis'
import type { Service } from './installed.ts'
import { freePort, ServerProcess } from './process.ts'

type Settings = Readonly<Record<string, string | number>>

const defaults: Settings = { bind: '127.0.0.1', save: '', appendonly: 'no', dir: tmpdir() }

export class RedisServer implements AsyncDisposable {
  readonly url: string
  readonly #program: string
  readonly #port: number
  readonly #settings: Settings
  #process: ServerProcess
  #client: Redis | undefined

  private constructor(program: string, port: number, settings: Settings, server: ServerProcess) {
    this.url = `redis://127.0.0.1:${port}`
    this.#program = program
    this.#port = port
    this.#settings = settings
    this.#process = server
  }

  static async start(program: string, settings: Settings = {}): Promise<RedisServer> {
    const port = await freePort()
    return new RedisServer(program, port, settings, await RedisServer.#spawn(program, port, settings))
  }

  /** Looks and acts past every target. */
  get client(): Redis {
    this.#client ??= new Redis(this.url)
    return this.#client
  }

  /** It forgets everything. */
  async kill(): Promise<void> {
    this.#client?.disconnect()
    this.#client = undefined
    await this.#process.stop()
  }

  async startAgain(): Promise<void> {
    this.#process = await RedisServer.#spawn(this.#program, this.#port, this.#settings)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  static #spawn(program: string, port: number, settings: Settings): Promise<ServerProcess> {
    const options = Object.entries({ ...defaults, ...settings, port }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ])
    return ServerProcess.start(program, options, /Ready to accept connections/)
  }
}

export const redisServer: Service<RedisServer> = {
  name: 'Redis',
  programs: ['redis-server', 'valkey-server'],
  install: 'apt-get install redis-server',
  start: (program) => RedisServer.start(program),
}
