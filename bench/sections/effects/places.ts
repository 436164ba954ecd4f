/** Where contenders keep their items: each job gets a file, a database or an empty Redis of its own. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from '../../../test/support/servers/installed.ts'
import { queryAt } from '../../../test/support/servers/postgres.ts'
import { redisServer, RedisServer } from '../../../test/support/servers/redis.ts'
import { UsageError } from '../../options/parse.ts'
import { listedEffectsPeer, type EffectsPeerName } from '../../peers/effects/index.ts'
import { startServer } from '../postgres/server.ts'

const SETTLE_MS = 100

export interface Place {
  /** Makes it, with these tables where it has any, hands its address to `work`, and clears it away. */
  with<Result>(tables: readonly string[], work: (address: string) => Promise<Result>): Promise<Result>
  /** What its server has used of the processors so far; undefined where nobody can tell, 0 where there is none. */
  readCpuUs(): Promise<number | undefined>
  /** What its own maintenance would do after a while, so that no plan is made for tables that were empty. */
  tidy(address: string): Promise<void>
  describe(): Promise<Readonly<Record<string, string>>>
}

export interface Places extends AsyncDisposable {
  of(peer: EffectsPeerName): Place
  /** Those that were started. */
  readonly all: readonly Place[]
}

/** Starts the servers that these contenders need. */
export async function startPlaces(
  peers: readonly EffectsPeerName[],
  options: { readonly server: string; readonly postgresFolder: string | undefined; readonly folder: string },
): Promise<Places> {
  const needed = new Set(peers.map((peer) => listedEffectsPeer(peer).place))
  await using started = new AsyncDisposableStack()
  const places = {
    file: fileIn(options.folder),
    postgres: needed.has('postgres')
      ? await postgresPlace(started, options.server, options.postgresFolder)
      : undefined,
    redis: needed.has('redis') ? await redisPlace(started, options.folder) : undefined,
  }
  const servers = started.move()
  return {
    of(peer) {
      const place = places[listedEffectsPeer(peer).place]
      if (place === undefined) throw new Error(`no server was started for ${peer}`)
      return place
    },
    all: Object.values(places).filter((place) => place !== undefined),
    [Symbol.asyncDispose]: () => servers.disposeAsync(),
  }
}

function fileIn(folder: string): Place {
  return {
    async with(tables, work) {
      const file = path.join(folder, 'effects.db')
      const db = new DatabaseSync(file)
      db.exec(['PRAGMA journal_mode = WAL', ...tables].join(';'))
      db.close()
      try {
        return await work(file)
      } finally {
        for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
      }
    },
    readCpuUs: () => Promise.resolve(0),
    tidy: () => Promise.resolve(),
    describe: () => Promise.resolve({}),
  }
}

async function postgresPlace(
  started: AsyncDisposableStack,
  which: string,
  folder: string | undefined,
): Promise<Place> {
  const server = started.use(await startServer(which, folder))
  return {
    with: (tables, work) => server.inDatabase(tables, work),
    readCpuUs: () => Promise.resolve(server.readCpuUs()),
    async tidy(url) {
      await queryAt(url, 'VACUUM ANALYZE')
      // While its process ends, what it has used is counted twice or not at all.
      await delay(SETTLE_MS)
    },
    describe: () => server.describe(),
  }
}

/**
 * As BullMQ's documentation asks for it (see its contender), and with nothing that would begin by itself in somebody's
 * round: it does not rewrite its log.
 */
const REDIS_SETTINGS = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'maxmemory-policy': 'noeviction',
  'auto-aof-rewrite-percentage': 0,
}

async function redisPlace(started: AsyncDisposableStack, folder: string): Promise<Place> {
  const program = findProgram(...redisServer.programs)
  if (program === undefined)
    throw new UsageError(`${redisServer.name} is not installed: ${redisServer.install}. Or leave bullmq out.`)
  const server = started.use(await RedisServer.start(program, { ...REDIS_SETTINGS, dir: folder }))
  const infoOf = async (section: string, name: string): Promise<string> =>
    new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(await server.client.info(section))?.[1] ?? ''
  return {
    async with(_, work) {
      await server.client.flushall()
      return await work(server.url)
    },
    async readCpuUs() {
      const seconds = await Promise.all(
        ['used_cpu_sys', 'used_cpu_user'].map((name) => infoOf('cpu', name).then(Number)),
      )
      return seconds.reduce((sum, part) => sum + part, 0) * 1e6
    },
    tidy: () => Promise.resolve(),
    async describe() {
      const settings = Object.entries(REDIS_SETTINGS).map(([name, value]) => [name, String(value)] as const)
      return Object.fromEntries([['redis_version', await infoOf('server', 'redis_version')], ...settings])
    },
  }
}
