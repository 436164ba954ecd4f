/**
 * `npm run extraction -- up`: all parts, each a process of its own, until Ctrl-C. A part that dies is started again, under its
 * name and on its port. Where no URL is given, PostgreSQL and Redis are started too, on ports of their own, and thrown away.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { embeddedPostgres, type PostgresServer } from '../../../test/support/servers/postgres.ts'
import { freePort } from '../../../test/support/servers/process.ts'
import { redisServer, type RedisServer } from '../../../test/support/servers/redis.ts'
import { announce, withdraw, type Place } from '../place.ts'
import { Life } from './life.ts'

export interface UpOptions {
  readonly postgres: string | undefined
  readonly redis: string | undefined
  readonly state: string
  readonly folder: string
  readonly workers: number
  readonly port: number
  readonly dashboardPort: number
  /** Handed to the parts as they are. */
  readonly serve: readonly string[]
  readonly llm: readonly string[]
}

interface Part {
  readonly name: string
  readonly command: readonly string[]
  /** The first word of the line that says that it is there. */
  readonly ready: string
}

const main = new URL('../main.ts', import.meta.url).pathname
const restartMs = 500

export async function up(options: UpOptions): Promise<void> {
  const life = new Life()
  await using servers = await startServers(options)
  const { postgres, redis } = servers
  const [vectorsPort, sitePort] = [await freePort(), await freePort()]
  const port = options.port === 0 ? await freePort() : options.port
  const dashboardPort = options.dashboardPort === 0 ? await freePort() : options.dashboardPort
  const place: Place = {
    api: `http://127.0.0.1:${port}`,
    dashboard: `http://127.0.0.1:${dashboardPort}`,
    site: `http://127.0.0.1:${sitePort}`,
    vectors: `http://127.0.0.1:${vectorsPort}`,
    postgres,
    redis,
  }
  // Vectors of a database that is thrown away are thrown away with it.
  const stores = servers.folder ?? options.state
  const reach = ['--postgres', postgres, '--redis', redis, '--vectors', place.vectors]
  const parts: Part[] = [
    {
      name: 'vectors',
      command: ['vectors', '--state', stores, '--port', String(vectorsPort)],
      ready: 'vectors',
    },
    {
      name: 'site',
      command: ['site', '--folder', options.folder, '--port', String(sitePort)],
      ready: 'site',
    },
    {
      name: 'llm-1',
      command: ['llm', '--redis', redis, '--name', 'llm-1', ...options.llm],
      ready: 'answering',
    },
    {
      name: 'api',
      command: [
        'serve',
        ...reach,
        '--port',
        String(port),
        '--dashboard-port',
        String(dashboardPort),
        ...options.serve,
      ],
      ready: 'api',
    },
    ...Array.from({ length: options.workers }, (_, at): Part => {
      const name = `worker-${at + 1}`
      return {
        name,
        command: ['worker', ...reach, '--name', name, '--folder', options.folder],
        ready: 'working',
      }
    }),
  ]
  const running = parts.map((part) => new Running(part))
  try {
    await Promise.all(running.map((part) => part.isReady))
    announce(options.state, place)
    console.log(`api ${place.api} (what it takes: ${place.api}/openapi.json)`)
    console.log(`dashboard ${place.dashboard}`)
    console.log(`site ${place.site}`)
    console.log('Ctrl-C ends all of it.')
    await life.over()
  } finally {
    withdraw(options.state)
    await Promise.all(running.map((part) => part.stop()))
  }
}

class Running {
  readonly #part: Part
  readonly #ready = Promise.withResolvers<void>()
  #process: ChildProcess
  #isStopping = false

  constructor(part: Part) {
    this.#part = part
    this.#process = this.#start()
  }

  get isReady(): Promise<void> {
    return this.#ready.promise
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
        if (line.startsWith(`${ready} `)) this.#ready.resolve()
        else if (!line.startsWith('dashboard ')) console.log(`[${name}] ${line}`)
      })
    console.log(`[${name}] process ${child.pid}`)
    child.once('exit', (code, signal) => {
      if (this.#isStopping) return
      console.log(`[${name}] ended (${signal ?? code}), and is started again`)
      setTimeout(() => {
        if (!this.#isStopping) this.#process = this.#start()
      }, restartMs)
    })
    return child
  }
}

interface Servers extends AsyncDisposable {
  readonly postgres: string
  readonly redis: string
  /** Where the database is thrown away, a folder that is too. */
  readonly folder: string | undefined
}

async function startServers(options: UpOptions): Promise<Servers> {
  let ownPostgres: PostgresServer | undefined
  let ownRedis: RedisServer | undefined
  let folder: string | undefined
  const end = async (): Promise<void> => {
    await ownRedis?.[Symbol.asyncDispose]()
    await ownPostgres?.[Symbol.asyncDispose]()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    if (options.postgres === undefined) {
      ownPostgres = await embeddedPostgres.start(programOf(embeddedPostgres))
      folder = mkdtempSync(path.join(tmpdir(), 'tidemark-extraction-'))
    }
    if (options.redis === undefined) ownRedis = await redisServer.start(programOf(redisServer))
  } catch (error) {
    await end()
    throw error
  }
  return {
    postgres: options.postgres ?? ownPostgres?.url() ?? '',
    redis: options.redis ?? ownRedis?.url ?? '',
    folder,
    [Symbol.asyncDispose]: end,
  }
}

/** @throws when it is not there */
function programOf({ name, programs, install }: typeof embeddedPostgres | typeof redisServer): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const found = programs
    .flatMap((program) => folders.map((folder) => path.resolve(folder, program)))
    .find((file) => existsSync(file))
  if (found === undefined) throw new Error(`${name} is not installed: ${install}`)
  return found
}
