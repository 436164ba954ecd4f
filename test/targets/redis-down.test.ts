/** A Redis that answers, and takes nothing for now: real servers, in the states that one can be brought into. */
import { mkdirSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { redis } from '../../src/targets/redis/index.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { next } from '../support/events.ts'
import { findProgram, withServer } from '../support/servers/installed.ts'
import { freePort } from '../support/servers/process.ts'
import { RedisServer, redisServer } from '../support/servers/redis.ts'

const kind = 'index'
const nobody = await freePort()

interface State {
  /** What the server answers in it. */
  readonly code: string
  readonly settings?: (folder: string) => Readonly<Record<string, string>>
  /** Before anything is delivered. */
  readonly prepare?: (client: Redis) => Promise<unknown>
  readonly begin: (server: RedisServer, folder: string) => Promise<unknown>
  readonly end: (client: Redis, folder: string) => Promise<unknown>
}

const infoOf = async (client: Redis, section: string, name: string): Promise<string | undefined> =>
  new RegExp(`^${name}:(\\w+)`, 'm').exec(await client.info(section))?.[1]
const dumpIn = (folder: string): string => path.join(folder, 'dump.rdb')
const saveUntil = async (client: Redis, ending: string): Promise<void> => {
  await client.bgsave()
  await expect.poll(() => infoOf(client, 'persistence', 'rdb_last_bgsave_status')).toBe(ending)
}
const ownSlot = async (client: Redis): Promise<number> => await client.cluster('KEYSLOT', 'key')

await withServer(redisServer, (primary) => {
  const states: readonly State[] = [
    {
      code: 'READONLY',
      begin: ({ client }) => client.replicaof('127.0.0.1', nobody),
      end: (client) => client.replicaof('NO', 'ONE'),
    },
    {
      code: 'MASTERDOWN',
      settings: () => ({ 'replica-serve-stale-data': 'no' }),
      begin: ({ client }) => client.replicaof('127.0.0.1', nobody),
      end: (client) => client.replicaof('NO', 'ONE'),
    },
    {
      code: 'NOREPLICAS',
      begin: ({ client }) => client.config('SET', 'min-replicas-to-write', 1),
      end: (client) => client.config('SET', 'min-replicas-to-write', 0),
    },
    {
      code: 'MISCONF',
      settings: (folder) => ({ dir: folder, save: '3600 1' }),
      async begin({ client }, folder) {
        // What it saves cannot take the place of a folder.
        mkdirSync(dumpIn(folder))
        await saveUntil(client, 'err')
      },
      async end(client, folder) {
        rmdirSync(dumpIn(folder))
        await saveUntil(client, 'ok')
      },
    },
    {
      code: 'BUSY',
      settings: () => ({ 'lua-time-limit': '1' }),
      async begin({ url, client }) {
        const other = new Redis(url)
        void other.eval('while true do end', 0).catch(() => other.disconnect())
        await expect.poll(() => client.ping().catch(String)).toMatch(/BUSY/)
      },
      end: (client) => client.script('KILL'),
    },
    {
      code: 'CLUSTERDOWN',
      settings: (folder) => ({
        dir: folder,
        'cluster-enabled': 'yes',
        'cluster-require-full-coverage': 'no',
      }),
      async prepare(client) {
        // With another slot it stays a cluster that is up, and lacks this one alone.
        await client.cluster('ADDSLOTS', 0, await ownSlot(client))
        await expect.poll(() => client.cluster('INFO'), { timeout: 20_000 }).toMatch(/^cluster_state:ok/)
      },
      begin: async ({ client }) => await client.cluster('DELSLOTS', await ownSlot(client)),
      end: async (client) => await client.cluster('ADDSLOTS', await ownSlot(client)),
    },
    {
      code: 'LOADING',
      settings: (folder) => ({ dir: folder, 'loading-process-events-interval-bytes': '1024' }),
      async begin({ client }) {
        const rows = Array.from({ length: 1_000 }, (_, row) => [`row-${row}`, 'x'.repeat(2_000)])
        await primary.client.mset(...rows.flat())
        await primary.client.config('SET', 'repl-diskless-sync-delay', 0)
        // In microseconds a key: as long as the test may take, unless it is ended.
        await client.config('SET', 'key-load-delay', 30_000)
        await client.replicaof('127.0.0.1', new URL(primary.url).port)
        await expect.poll(() => infoOf(client, 'persistence', 'loading'), { timeout: 20_000 }).toBe('1')
      },
      async end(client) {
        await client.config('SET', 'key-load-delay', 0)
        await expect.poll(() => infoOf(client, 'persistence', 'loading'), { timeout: 20_000 }).toBe('0')
        await client.replicaof('NO', 'ONE')
      },
    },
  ]

  test.for(states)('law 8 · while a server answers $code, effects wait unharmed', async (state) => {
    const { code, settings = () => ({}), prepare, begin, end } = state
    const folder = temporaryFolder()
    await using server = await RedisServer.start(findProgram(...redisServer.programs) ?? '', settings(folder))
    await prepare?.(server.client)
    const target = redis(server.url)
    const db = await open(memory())
    // As often as it may be down before it is known to be, and no more.
    await db.effects.handle(kind, target, { maxAttempts: 3, retryFirstMs: 1, retryMaxMs: 2 })
    const set = (value: number) => db.enqueue({ kind, key: 'key', payload: { op: 'set', value } })
    await db.effects.reached(kind, set(1).bookmark)
    await begin(server, folder)
    const isDown = next(db, 'alert')
    const { bookmark } = set(2)
    expect(await isDown).toMatchObject({ kind: 'targetDown' })
    expect((await db.effects.waiting(kind)).map(({ error }) => error)).toEqual([
      expect.stringContaining(code),
    ])
    await end(server.client, folder)
    await db.effects.reached(kind, bookmark)
    expect(await server.client.get('key')).toBe('2')
    expect(await db.effects.deadLetters()).toEqual([])
    await db.close()
    await target.close()
  })
})
