/** The Qdrant target, against a server that stands in for Qdrant: see there. qdrant-server.test.ts has a real one. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Effect, EffectOutcome } from '../../src/index.ts'
import { qdrant, qdrantPointId, type QdrantPayload } from '../../src/targets/qdrant/index.ts'
import { effectOf, targetConformance } from '../../src/testing/index.ts'
import { freePort } from '../support/servers/process.ts'
import { QdrantStandIn, refusal } from '../support/servers/qdrant-stand-in.ts'
import { silentServer } from '../support/servers/silent.ts'

const deadPort = await freePort()
const payload = (given: QdrantPayload): QdrantPayload => given
const set = (key: string, version: number, vector = [1, version]): Effect =>
  effectOf(key, version, payload({ op: 'set', vector }))

targetConformance(
  {
    name: 'qdrant',
    lacks: ['versions of what is deleted'],
    async fresh() {
      const server = await QdrantStandIn.start(2)
      return {
        target: qdrant({ url: server.url, collection: 'songs' }),
        put: (value) => payload({ op: 'set', vector: [1, value] }),
        remove: () => payload({ op: 'delete' }),
        bad: payload({ op: 'set', vector: [1, 2, 3] }),
        async held(key) {
          const points = ['index', 'one', 'other'].map((kind) => server.points.get(qdrantPointId(kind, key)))
          return points.find((point) => point !== undefined)?.vector[1]
        },
        dispose: () => server.close(),
      }
    },
    nowhere: () => qdrant({ url: `http://127.0.0.1:${deadPort}`, collection: 'songs' }),
    async silent() {
      const { port, close } = await silentServer()
      return { target: qdrant({ url: `http://127.0.0.1:${port}`, collection: 'songs' }), dispose: close }
    },
  },
  { describe, test },
)

async function onStandIn(
  run: (
    deliver: (...effects: Effect[]) => Promise<readonly EffectOutcome<unknown>[]>,
    server: QdrantStandIn,
    target: ReturnType<typeof qdrant>,
  ) => Promise<void>,
): Promise<void> {
  const server = await QdrantStandIn.start(2)
  const target = qdrant({ url: server.url, collection: 'songs', apiKey: 'geheim', timeoutMs: 1_000 })
  const { signal } = new AbortController()
  try {
    await run(async (...effects) => (await target.deliver(effects, { signal })) ?? [], server, target)
  } finally {
    await target.close()
    await server.close()
  }
}

describe('qdrant · what is sent', () => {
  test('is of the types that the client was generated with, and waits', async () => {
    await onStandIn(async (deliver, server) => {
      await deliver(
        effectOf(
          '7',
          41,
          payload({ op: 'set', vector: [1, 0], payload: { title: 'new', tags: ['a', null] } }),
        ),
        effectOf('8', Number.MAX_SAFE_INTEGER, payload({ op: 'delete' })),
      )
      await deliver(effectOf('9', 1, payload({ op: 'set', vector: { text: [1, 0], image: [0.5] } })))
      const { batches } = server
      expect(batches.map(({ method, path: at }) => `${method} ${at}`)).toEqual([
        'POST /collections/songs/points/batch?wait=true',
        'POST /collections/songs/points/batch?wait=true',
      ])
      expect(batches[0]?.headers).toMatchObject({ 'api-key': 'geheim' })
      const isOlder = (lt: number) => ({ key: 'tidemark.version', range: { lt } })
      expect(JSON.parse(batches[0]?.body ?? '')).toEqual({
        operations: [
          {
            upsert: {
              points: [
                {
                  id: qdrantPointId('index', '7'),
                  vector: [1, 0],
                  payload: {
                    title: 'new',
                    tags: ['a', null],
                    tidemark: { kind: 'index', key: '7', version: 41 },
                  },
                },
              ],
              update_filter: { must: [isOlder(41)] },
            },
          },
          {
            delete: {
              filter: { must: [{ has_id: [qdrantPointId('index', '8')] }, isOlder(Number.MAX_SAFE_INTEGER)] },
            },
          },
        ],
      })
      expect(typeErrorsOf(batches.map(({ body }) => body))).toBe('')
      // The types are seen to refuse.
      expect(typeErrorsOf(['{ "operations": [{ "upsert": { "points": [{ "id": true }] } }] }'])).toContain(
        'TS2322',
      )
    })
  })

  test('the id of a point is a UUID of version 5, and its own for each kind and key', () => {
    const ids = [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'b'],
      ['a","b', ''],
      ['', 'a","b'],
    ].map(([kind = '', key = '']) => qdrantPointId(kind, key))
    for (const id of ids)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    expect(new Set(ids).size).toBe(5)
    expect(qdrantPointId('a', 'b')).toBe(ids[0])
  })
})

describe('qdrant · what is answered', () => {
  test('law 8 · bad effects are found by halving, and their neighbours are delivered', async () => {
    await onStandIn(async (deliver, server) => {
      const effects = Array.from({ length: 16 }, (_, index) =>
        set(`${index}`, 1, index === 5 || index === 11 ? [1, 2, 3] : [1, index]),
      )
      const outcomes = await deliver(...effects)
      expect(
        outcomes.flatMap((outcome, index) => (outcome === undefined ? [] : [[index, outcome.kind]])),
      ).toEqual([
        [5, 'dead'],
        [11, 'dead'],
      ])
      expect(outcomes[5]).toMatchObject({
        error: { code: 'EFFECT_REFUSED', message: expect.stringContaining('expected dim: 2, got 3') },
      })
      expect(server.points.size).toBe(14)
      expect(server.batches.length).toBe(15)
    })
  })

  test.each([
    [500, true],
    [503, true],
    [408, true],
    [501, false],
    [401, false],
    [403, false],
    [404, false],
    [409, false],
  ])('%i is tried again; overload: %s', async (status, isOverload) => {
    await onStandIn(async (deliver, { answers }) => {
      answers.push(refusal(status, 'why not'))
      expect(await deliver(set('a', 1), set('b', 1))).toMatchObject(
        ['a', 'b'].map(() => ({
          kind: 'retry',
          isOverload,
          error: { code: 'TARGET_FAILED', message: expect.stringContaining(`${status}: why not`) },
        })),
      )
      expect(await deliver(set('a', 1))).toEqual([undefined])
    })
  })

  test('429 is tried again, with Retry-After and without', async () => {
    await onStandIn(async (deliver, { answers }) => {
      answers.push({ ...refusal(429, 'slow down'), headers: { 'retry-after': '7' } })
      expect(await deliver(set('a', 1))).toMatchObject([{ kind: 'retry', isOverload: true, afterMs: 7_000 }])
      answers.push(refusal(429, 'slow down'))
      expect(await deliver(set('a', 1))).toMatchObject([{ kind: 'retry', isOverload: true }])
    })
  })

  // SPEC S1.11
  test('law 8 · what is accepted and not yet applied is not delivered', async () => {
    await onStandIn(async (deliver, { answers }) => {
      const result = [{ status: 'completed' }, { status: 'acknowledged' }, { status: 'wait_timeout' }]
      answers.push({ body: { result, status: 'ok', time: 0 } })
      const outcomes = await deliver(set('a', 1), set('b', 1), set('c', 1), set('d', 1))
      expect(outcomes.map((outcome) => outcome?.kind)).toEqual([undefined, 'retry', 'retry', 'retry'])
    })
  })

  test('no answer in time is an overload', async () => {
    const { port, close } = await silentServer()
    const target = qdrant({ url: `http://127.0.0.1:${port}`, collection: 'songs', timeoutMs: 20 })
    const outcomes = await target.deliver([set('a', 1)], { signal: new AbortController().signal })
    expect(outcomes).toMatchObject([{ kind: 'retry', isOverload: true }])
    await target.close()
    await close()
  })

  test('law 8 · a server that is too old to compare versions is sent nothing', async () => {
    await onStandIn(async (deliver, server, target) => {
      server.version = '1.15.5'
      const said = { message: expect.stringContaining('1.16 is needed') }
      expect(await deliver(set('a', 1))).toMatchObject([{ kind: 'retry', error: said }])
      await expect(target.probe(new AbortController().signal)).rejects.toMatchObject(said)
      expect(server.batches).toEqual([])
      server.version = '2.0.0'
      expect(await deliver(set('a', 1))).toEqual([undefined])
    })
  })

  test('a collection that is not there is told by probe, and its effects wait for it', async () => {
    const server = await QdrantStandIn.start(2)
    const target = qdrant({ url: `${server.url}/`, collection: 'elsewhere' })
    const { signal } = new AbortController()
    await expect(target.probe(signal)).rejects.toThrow(/404: Not found: Collection doesn't exist!/)
    expect(await target.deliver([set('a', 1)], { signal })).toMatchObject([{ kind: 'retry' }])
    await target.close()
    await server.close()
  })

  test('what no point can be is dead before anything is sent', async () => {
    await onStandIn(async (deliver, server) => {
      const bad = [
        null,
        { op: 'get' },
        { op: 'set' },
        { op: 'set', vector: [] },
        { op: 'set', vector: { text: 'a' } },
        { op: 'set', vector: [1, 2], payload: [] },
        { op: 'set', vector: [1, 2], payload: { tidemark: 1 } },
        { op: 'delete', vector: [1, 2] },
      ]
      const outcomes = await deliver(...bad.map((one, index) => effectOf(`${index}`, 1, one)))
      expect(outcomes.map((outcome) => outcome?.kind)).toEqual(bad.map(() => 'dead'))
      expect(server.batches).toEqual([])
    })
  })
})

test('all problems of the options are told at once', () => {
  expect(() => qdrant({ url: 'localhost:6333', apiKey: 1, timeoutMs: 0 } as never)).toThrow(
    /apiKey must be a text; timeoutMs must be a whole number above 0; url must be a URL.*; collection is missing/,
  )
})

/** What TypeScript says of these bodies as requests of the generated client. */
function typeErrorsOf(bodies: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-qdrant-'))
  const modules = path.resolve(import.meta.dirname, '../../node_modules')
  const lines = bodies.map((body) => `void (${body} satisfies Schemas['UpdateOperations'])`)
  try {
    symlinkSync(modules, path.join(folder, 'node_modules'))
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
    const source = ["import type { Schemas } from '@qdrant/js-client-rest'", ...lines].join('\n')
    writeFileSync(path.join(folder, 'requests.ts'), source)
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', 'node']
    const { stdout } = spawnSync(
      process.execPath,
      [path.join(modules, '.bin/tsc'), ...options, 'requests.ts'],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    )
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}
