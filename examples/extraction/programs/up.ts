/**
 * `npm run extraction -- up`: all parts, each a process of its own, until Ctrl-C. A part that dies is started again, under its
 * name and on its port. Where no URL is given, PostgreSQL and Redis are started too, on ports of their own, and thrown away.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { embeddedPostgres, type PostgresServer } from '../../../test/support/servers/postgres.ts'
import { freePort } from '../../../test/support/servers/process.ts'
import { redisServer, type RedisServer } from '../../../test/support/servers/redis.ts'
import { announce, withdraw, type Place } from '../place.ts'
import { Life } from './life.ts'
import { programOf } from './program-of.ts'
import { Running, type Part } from './running.ts'

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
