/** Effects over HTTP: what waits, what is dead, and what a person does about it. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { running, type Running } from './running.ts'

const everyMs = 20

/** Effects of kind `embed` that are dead: those with these keys, each in a commit of its own. */
async function withDead({ logs }: Running, ...keys: string[]): Promise<string[]> {
  const db = logs.tidemark
  const handling = await db.effects.handle('embed', async (effects) =>
    effects.map(() => ({ kind: 'dead', error: new Error('no model') })),
  )
  const ids: string[] = []
  for (const key of keys) {
    const receipt = db.enqueue({ kind: 'embed', key, payload: { text: `of ${key}` } })
    await receipt
    ids.push(receipt.effectId())
  }
  await expect.poll(async () => (await db.effects.deadLetters()).length).toBe(keys.length)
  await handling.stop()
  return ids
}

test('each kind is listed, and one of them told, with what its handler does', async () => {
  const server = await running()
  expect((await server.call('GET', '/v1/effects')).body).toEqual({ at: expect.any(String), kinds: [] })
  await withDead(server, 'a')
  await server.logs.tidemark.enqueue({ kind: 'a/b', key: null }, { kind: 'a/b', key: null })
  const { body } = await server.call('GET', '/v1/effects')
  expect(body.kinds).toMatchObject([
    { kind: 'a/b', queued: 2, waiting: 0, dead: 0, lanes: 0, held: 0, isPaused: false },
    { kind: 'embed', queued: 0, waiting: 0, dead: 1, lanes: 1, held: 0 },
  ])
  await server.logs.tidemark.effects.handle('a/b', () => new Promise(() => {}), { timeoutMs: 60_000 })
  const one = async () => (await server.call('GET', '/v1/effects/a%2Fb')).body
  await expect.poll(one).toMatchObject({ kind: 'a/b', held: 1, handler: { running: 1, isDown: false } })
  expect((await server.call('GET', '/v1/effects/nothing')).body).toMatchObject({ queued: 0, lanes: 0 })
})

test('dead effects are listed a page at a time, redriven and discarded, each alone', async () => {
  const server = await running()
  const ids = await withDead(server, 'a', 'b', 'c')
  const [a, b, c] = ids
  const first = await server.call('GET', '/v1/effects/embed/dead?limit=2')
  expect(first.body.effects).toMatchObject([
    { id: a, kind: 'embed', key: 'a', payload: { text: 'of a' }, attempts: 1, error: 'Error: no model' },
    { id: b, failedAt: expect.stringMatching(/^\d{4}-.*Z$/), committedAt: expect.stringMatching(/Z$/) },
  ])
  const second = await server.call('GET', `/v1/effects/embed/dead?limit=2&after=${first.body.next}`)
  expect(second.body).toMatchObject({ effects: [{ id: c }], next: null })
  expect((await server.call('GET', '/v1/effects/other/dead')).body).toEqual({ effects: [], next: null })

  const redriven = await server.call('POST', '/v1/effects/redrive', { ids: [a, '1-2-3'] })
  expect(redriven.body.outcomes).toEqual([
    { id: a, outcome: 'redriven' },
    { id: '1-2-3', outcome: 'notDead' },
  ])
  const discarded = await server.call('POST', '/v1/effects/discard', { ids: [a, b] })
  expect(discarded.body.outcomes).toEqual([
    { id: a, outcome: 'notDead' },
    { id: b, outcome: 'discarded' },
  ])
  expect((await server.call('GET', '/v1/effects/embed')).body).toMatchObject({ waiting: 1, dead: 1 })
})

test('what is tried again is told with its last error, what is held back without', async () => {
  const server = await running()
  const db = server.logs.tidemark
  await db.effects.handle('embed', async (effects) =>
    effects.map(() => ({ kind: 'retry', error: new Error('not now'), afterMs: 3_600_000 })),
  )
  await db.enqueue({ kind: 'embed', key: 'a', payload: 1 })
  const waiting = async (more = ''): Promise<unknown> =>
    (await server.call('GET', `/v1/effects/embed/waiting${more}`)).body
  const failed = {
    key: 'a',
    payload: 1,
    attempts: 1,
    error: 'Error: not now',
    dueAt: expect.stringMatching(/Z$/),
  }
  await expect.poll(() => waiting()).toMatchObject({ effects: [failed], next: null })
  await db.enqueue({ kind: 'embed', key: 'a', payload: 2 })
  const held = { payload: 2, attempts: 0, error: null, failedAt: null, dueAt: null }
  await expect.poll(() => waiting()).toMatchObject({ effects: [failed, held] })
  expect(await waiting('?limit=1')).toMatchObject({ effects: [failed], next: expect.any(Number) })
})

test('paused over HTTP, a kind is delivered by no process until it is resumed', async () => {
  const server = await running()
  await using worker = await open(sqlite(server.file))
  const got: string[] = []
  await worker.effects.handle(
    'embed',
    async (effects) => void got.push(...effects.map(({ key = '' }) => key)),
    { pollMs: 5 },
  )
  const paused = await server.call('POST', '/v1/effects/embed/pause')
  expect(paused).toMatchObject({ status: 200, body: { kind: 'embed', isPaused: true } })
  await expect.poll(async () => (await worker.effects.stats('embed')).handler?.isPaused).toBe(true)
  await worker.enqueue({ kind: 'embed', key: 'a' })
  await worker.effects.handle('other', async () => {})
  await worker.effects.reached('other', worker.enqueue({ kind: 'other', key: 'a' }).bookmark)
  expect(got).toEqual([])
  expect((await server.call('POST', '/v1/effects/embed/resume')).body.isPaused).toBe(false)
  await expect.poll(() => got).toEqual(['a'])
  const unknown = await server.call('POST', '/v1/effects/nothing/pause')
  expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
})

test('the result of an effect is fetched by its id, and waited for', async () => {
  const server = await running()
  const db = server.logs.tidemark
  const receipt = db.enqueue({ kind: 'answer', key: 'a' })
  await receipt
  const at = `/v1/effect-results/${receipt.effectId()}`
  expect(await server.call('GET', at)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  const waiting = server.call('GET', at, undefined, { 'tidemark-timeout-ms': '30000' })
  await db.effects.handle('answer', async (effects) =>
    effects.map(() => ({ kind: 'delivered', result: { answer: null } })),
  )
  expect((await waiting).body).toEqual({ result: { answer: null } })
  expect(await server.call('GET', '/v1/effect-results/seven')).toMatchObject({
    status: 422,
    body: { code: 'INVALID_CALL' },
  })
})

test('how a kind was is told over time, from where it is asked', async () => {
  const server = await running({ serve: { effects: { everyMs } } })
  await server.logs.tidemark.enqueue({ kind: 'embed', key: 'a' })
  const history = async (since = 0): Promise<number[][]> =>
    (await server.call('GET', `/v1/stats/effects?since=${since}`)).body.kinds.embed ?? []
  await expect.poll(async () => (await history()).length, { timeout: 20_000 }).toBeGreaterThan(2)
  const { body } = await server.call('GET', '/v1/stats/effects')
  expect(body).toMatchObject({
    intervalMs: everyMs,
    columns: ['t', 'undelivered', 'oldestMs', 'lagMs', 'dead'],
  })
  const [[first = 0, undelivered, oldestMs = 0] = [], [second, , later] = []] = await history()
  expect(undelivered).toBe(1)
  expect(later).toBeGreaterThan(oldestMs)
  expect((await history(first))[0]?.[0]).toBe(second)
})

test('what makes no sense is refused as everywhere else', async () => {
  const server = await running()
  const refused = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await server.call(method, path, body)
    return [answer.status, answer.body.code]
  }
  expect(await refused('POST', '/v1/effects/redrive', { ids: ['seven'] })).toEqual([422, 'NOT_REDRIVABLE'])
  expect(await refused('POST', '/v1/effects/redrive', { ids: [] })).toEqual([422, 'INVALID_BODY'])
  expect(await refused('POST', '/v1/effects/discard', { ids: [1] })).toEqual([422, 'INVALID_BODY'])
  expect(await refused('POST', '/v1/effects/discard')).toEqual([422, 'INVALID_BODY'])
  expect(await refused('GET', '/v1/effects/embed/dead?limit=0')).toEqual([400, 'BAD_REQUEST'])
  expect(await refused('GET', '/v1/effects/embed/dead?after=x')).toEqual([400, 'BAD_REQUEST'])
  expect(await refused('GET', '/v1/effects/embed/pause')).toEqual([405, 'METHOD_NOT_ALLOWED'])
  await expect(running({ serve: { effects: { lateAfterMs: 0 } } })).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
  })
})
