/** The Redis target, on a server of its own. */
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { classifyRedisError } from '../../src/targets/redis/classify.ts'
import { redis, type RedisPayload } from '../../src/targets/redis/index.ts'
import { targetConformance } from '../../src/testing/index.ts'
import { effectOf, endingsOf } from '../../src/testing/targets.ts'
import { withServer } from '../support/servers/installed.ts'
import { freePort } from '../support/servers/process.ts'
import { redisServer } from '../support/servers/redis.ts'
import { silentServer } from '../support/servers/silent.ts'

const deadPort = await freePort()
const payload = (given: RedisPayload): RedisPayload => given

await withServer(redisServer, (server) => {
  let places = 0
  const prefix = () => `place-${++places}:`

  targetConformance(
    {
      name: 'redis',
      async fresh() {
        const own = prefix()
        return {
          target: redis(server.url, { prefix: own }),
          put: (value) => payload({ op: 'set', value }),
          remove: () => payload({ op: 'delete' }),
          bad: { op: 'set' },
          async held(key) {
            const json = await server.client.get(own + key)
            return json === null ? undefined : (JSON.parse(json) as number)
          },
          dispose: async () => undefined,
        }
      },
      nowhere: () => redis(`redis://127.0.0.1:${deadPort}`),
      async silent() {
        const { port, close } = await silentServer()
        return { target: redis(`redis://127.0.0.1:${port}`), dispose: close }
      },
    },
    { describe, test },
  )

  describe('redis · cache', () => {
    test('law 8 · a reader cannot put back a row that was invalidated while it read', async () => {
      const target = redis(server.url, { prefix: prefix() })
      let row = 'old'
      const reading = Promise.withResolvers<void>()
      const goOn = Promise.withResolvers<void>()
      const slow = target.cache.readThrough('song', async () => {
        const read = row
        reading.resolve()
        await goOn.promise
        return read
      })
      await reading.promise
      row = 'new'
      expect(await endingsOf(target, [effectOf('song', 1, payload({ op: 'invalidate' }))])).toEqual([
        'delivered',
      ])
      goOn.resolve()
      expect(await slow).toBe('old')
      expect(await target.cache.readThrough('song', async () => row)).toBe('new')
      expect(await target.cache.lookUp('song')).toEqual({ kind: 'hit', value: 'new' })
      await target.close()
    })

    test('law 8 · nor over a newer value that was set, nor over one that was deleted', async () => {
      const target = redis(server.url, { prefix: prefix() })
      for (const [index, change] of [payload({ op: 'set', value: 2 }), payload({ op: 'delete' })].entries()) {
        const key = `key-${index}`
        const before = await target.cache.lookUp(key)
        await endingsOf(target, [effectOf(key, 5, change)])
        expect(await target.cache.fill(key, 1, before.kind === 'miss' ? before.generation : '')).toBe(false)
      }
      // What is delivered again is no change: a reader that began meanwhile may fill in what it read.
      const lookup = await target.cache.lookUp('key-1')
      await endingsOf(target, [effectOf('key-1', 5, payload({ op: 'delete' }))])
      expect(await target.cache.fill('key-1', 3, lookup.kind === 'miss' ? lookup.generation : '')).toBe(true)
      await target.close()
    })

    test('a value that was filled in ends, and undefined is not kept', async () => {
      const own = prefix()
      const target = redis(server.url, { prefix: own, fillTtlMs: 5_000 })
      expect(await target.cache.readThrough('a', async () => null)).toBe(null)
      expect(await server.client.pttl(`${own}a`)).toBeGreaterThan(4_000)
      expect(await target.cache.readThrough('b', async () => undefined)).toBe(undefined)
      expect(await server.client.exists(`${own}b`)).toBe(0)
      await target.close()
    })

    test('without Redis a reader gets what the database has', async () => {
      const target = redis(`redis://127.0.0.1:${deadPort}`)
      expect(await target.cache.readThrough('a', async () => 'row')).toBe('row')
      await expect(target.cache.lookUp('a')).rejects.toThrow(/ECONNREFUSED|closed|max retries/)
      await target.close()
      const { port, close } = await silentServer()
      const hung = redis(`redis://127.0.0.1:${port}`, { readTimeoutMs: 20 })
      expect(await hung.cache.readThrough('a', async () => 'row')).toBe('row')
      await hung.close()
      await close()
    })
  })

  describe('redis · effects', () => {
    test('a message is published once, however often it is delivered', async () => {
      const own = prefix()
      const target = redis(server.url, { prefix: own })
      const subscriber = new Redis(server.url)
      const heard: string[] = []
      const isOver = Promise.withResolvers<void>()
      subscriber.on('message', (_, message: string) =>
        message === '"over"' ? isOver.resolve() : heard.push(message),
      )
      await subscriber.subscribe(own)
      const say = (message: string) => payload({ op: 'publish', channel: own, message })
      const hello = effectOf('a', 1, say('hello'))
      for (const effect of [hello, hello, effectOf('a', 2, say('again')), hello])
        expect(await endingsOf(target, [effect])).toEqual(['delivered'])
      expect(await endingsOf(target, [effectOf(undefined, 1, say('over'))])).toEqual(['delivered'])
      await isOver.promise
      expect(heard).toEqual(['"hello"', '"again"'])
      subscriber.disconnect()
      await target.close()
    })

    test('a fence ends, but not before its value', async () => {
      const own = prefix()
      const target = redis(server.url, { prefix: own, fenceMs: 10_000 })
      const set = (key: string, version: number, ttlMs?: number) =>
        effectOf(key, version, payload({ op: 'set', value: 1, ...(ttlMs !== undefined && { ttlMs }) }))
      await endingsOf(target, [set('short', 1, 1_000), set('long', 1, 60_000)])
      await endingsOf(target, [set('long', 2)])
      const left = async (name: string) => await server.client.pttl(name)
      expect(await left(`{${own}short}:tidemark`)).toBeGreaterThan(9_000)
      expect(await left(`{${own}short}:tidemark`)).toBeLessThanOrEqual(10_000)
      expect(await left(`${own}short`)).toBeLessThanOrEqual(1_000)
      expect(await left(`{${own}long}:tidemark`)).toBeGreaterThan(50_000)
      await target.close()
    })

    test('law 8 · what stands there of another type makes that effect dead alone', async () => {
      const own = prefix()
      const target = redis(server.url, { prefix: own })
      await server.client.set(`{${own}b}:tidemark`, 'somebody else')
      const effects = ['a', 'b', 'c'].map((key) => effectOf(key, 1, payload({ op: 'set', value: 1 })))
      const outcomes = (await target.deliver(effects, { signal: new AbortController().signal })) ?? []
      expect(outcomes.map((outcome) => outcome?.kind)).toEqual([undefined, 'dead', undefined])
      expect(outcomes[1]).toMatchObject({
        error: { code: 'EFFECT_REFUSED', message: expect.stringMatching(/"index" of "b" .*WRONGTYPE/) },
      })
      await target.close()
    })

    test('law 8 · a server without memory, or that only reads, is tried again', async () => {
      const target = redis(server.url, { prefix: prefix() })
      const set = effectOf('a', 1, payload({ op: 'set', value: 'x'.repeat(1_000) }))
      const deliver = async () =>
        (await target.deliver([set], { signal: new AbortController().signal })) ?? []
      await server.client.config('SET', 'maxmemory', '1')
      expect(await deliver()).toMatchObject([
        { kind: 'retry', isOverload: true, error: { code: 'TARGET_FAILED' } },
      ])
      await server.client.config('SET', 'maxmemory', '0')
      await server.client.replicaof('127.0.0.1', deadPort)
      expect(await deliver()).toMatchObject([{ kind: 'retry', isOverload: true }])
      await server.client.replicaof('NO', 'ONE')
      expect(await deliver()).toEqual([undefined])
      await target.close()
    })

    test('law 8 · a server that does not answer in time is overloaded', async () => {
      const { port, close } = await silentServer()
      const target = redis(`redis://127.0.0.1:${port}`, { timeoutMs: 20 })
      const outcomes = await target.deliver([effectOf('a', 1, payload({ op: 'delete' }))], {
        signal: new AbortController().signal,
      })
      expect(outcomes).toMatchObject([{ kind: 'retry', isOverload: true }])
      await target.close()
      await close()
    })

    test('law 8 · after the server was killed and started again, delivery goes on by itself', async () => {
      const own = prefix()
      const target = redis(server.url, { prefix: own })
      const set = (key: string, version: number) =>
        effectOf(key, version, payload({ op: 'set', value: version }))
      expect(await endingsOf(target, [set('a', 1)])).toEqual(['delivered'])
      await server.kill()
      expect(await endingsOf(target, [set('a', 2), set('b', 1)])).toEqual(['retry', 'retry'])
      await server.startAgain()
      // The connection is made again behind the scenes, after a wait of the client's own.
      await expect
        .poll(() => endingsOf(target, [set('a', 2), set('b', 1)]), { timeout: 10_000 })
        .toEqual(['delivered', 'delivered'])
      expect(await server.client.mget(`${own}a`, `${own}b`)).toEqual(['2', '1'])
      await target.close()
    })

    test('a connection of the caller stays open when the target closes', async () => {
      const client = new Redis(server.url)
      const target = redis(client)
      expect(target.name).toMatch(/^redis 127\.0\.0\.1:\d+\/0$/)
      expect(await endingsOf(target, [effectOf('own', 1, payload({ op: 'set', value: 1 }))])).toEqual([
        'delivered',
      ])
      await target.close()
      expect(await client.ping()).toBe('PONG')
      client.disconnect()
    })
  })
})

describe('redis · what it is given', () => {
  test.each([
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'refused'],
    ['ERR Error running script (call to f_1): @user_script:2: -WRONGTYPE Operation against a key', 'refused'],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'refused'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'overload'],
    ['BUSY Redis is busy running a script.', 'overload'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'overload'],
    ['ERR max number of clients reached', 'overload'],
    ["READONLY You can't write against a read only replica.", 'overload'],
    ['ERR Error running script (call to f_1): @user_script:7: -READONLY You cannot write', 'overload'],
    ['LOADING Redis is loading the dataset in memory', 'overload'],
    ['MASTERDOWN Link with MASTER is down', 'overload'],
    ['CLUSTERDOWN The cluster is down', 'overload'],
    ['NOREPLICAS Not enough good replicas to write.', 'overload'],
    ['MISCONF Redis is configured to save RDB snapshots', 'overload'],
    ['BUSYKEY Target key name already exists.', 'transient'],
    ['NOAUTH Authentication required.', 'transient'],
    ['NOPERM this user has no permissions to run a command', 'transient'],
    ['ERR something new', 'transient'],
  ])('%s is %s', (message, failure) => {
    expect(classifyRedisError(Object.assign(new Error(message), { name: 'ReplyError' }))).toBe(failure)
  })

  test('without a reply the server is not there, whatever its words', () => {
    expect(classifyRedisError(new Error('WRONGTYPE'))).toBe('overload')
  })

  test('a payload that says nothing is dead before anything is sent', async () => {
    const target = redis(`redis://127.0.0.1:${deadPort}`)
    const bad = [
      null,
      [],
      { op: 'get' },
      { op: 'set', value: 1, ttlMs: 0 },
      { op: 'set', value: 1, ttl: 5 },
      { op: 'delete', value: 1 },
      { op: 'set', key: 5, value: 1 },
      { op: 'publish', channel: '', message: 1 },
      { op: 'publish', channel: 'c' },
    ]
    expect(
      await endingsOf(
        target,
        bad.map((one) => effectOf('a', 1, one)),
      ),
    ).toEqual(bad.map(() => 'dead'))
    expect(await endingsOf(target, [effectOf(undefined, 1, payload({ op: 'delete' }))])).toEqual(['dead'])
    await target.close()
  })

  test('all problems of the options are told at once, and no password', () => {
    expect(() => redis('redis://x', { prefix: 1, timeoutMs: 0, ttl: 5 } as object)).toThrow(
      /prefix must be a text; timeoutMs must be a whole number above 0; ttl is not an option/,
    )
    expect(() => redis('http://user:geheim@host')).toThrow(/^(?!.*geheim).*needs a URL/)
    expect(() => redis({} as Redis)).toThrow(/needs a URL/)
  })
})
