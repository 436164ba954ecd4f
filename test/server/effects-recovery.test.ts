/** Rows without their effect, mended over HTTP by queries that whoever started the server gave. */
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { serve, type ServeOptions } from '../../src/server/index.ts'
import { Recoveries } from '../../src/server/recoveries.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { change } from '../support/database-file.ts'
import { call, lock, running, type Answer, type Running } from './running.ts'

const missing = {
  sql: 'SELECT id AS key, body AS payload FROM chunks WHERE vector IS NULL ORDER BY id',
  parameters: [],
}
const existing = (keys: readonly string[]) => ({
  sql: `SELECT id AS key FROM chunks WHERE id IN (${keys.map(() => '?').join(', ')})`,
  parameters: keys.map(Number),
})
const embed = { embed: { missing, existing } }

/** A server over rows that another program wrote: 1 and 3 without their effect, 2 with what it would have made. */
async function withOldRows(options: Partial<ServeOptions> = { recover: embed }): Promise<Running> {
  const server = await running({ serve: options })
  change(
    server.file,
    `CREATE TABLE chunks (id INTEGER PRIMARY KEY, body TEXT, vector TEXT);
     INSERT INTO chunks VALUES (1, 'one', NULL), (2, 'two', 'there'), (3, 'three', NULL)`,
  )
  return server
}

async function recover(
  server: Pick<Running, 'call'>,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Answer> {
  return await server.call('POST', '/v1/effects/embed/recover', body, headers)
}

/** Keys and payloads of all that is enqueued, in order. */
async function delivered({ file }: Running): Promise<unknown[]> {
  await using worker = await open(sqlite(file))
  const got: unknown[] = []
  await worker.effects.handle('embed', async (effects) => {
    got.push(...effects.map(({ key, payload }) => [key, payload]))
    return effects.map(({ key = '' }) => ({
      kind: 'delivered',
      write: (to) => to.update('chunks', { id: Number(key) }, { vector: 'made' }),
    }))
  })
  await worker.effects.reached('embed', worker.enqueue({ kind: 'embed', key: '0' }).bookmark)
  return got.filter((one) => (one as string[])[0] !== '0')
}

test('a dry run tells what lacks its effect, as often as it is asked, and changes nothing', async () => {
  const server = await withOldRows()
  const told = { dryRun: true, missing: ['1', '3'], underWay: 0, dead: [], orphans: [], isMore: false }
  expect(await recover(server, {})).toMatchObject({ status: 200, body: told })
  expect((await recover(server, { dryRun: true, limit: 1 })).body).toEqual({
    ...told,
    missing: ['1'],
    isMore: true,
  })
  expect((await recover(server, {})).body).toEqual(told)
  expect(await delivered(server)).toEqual([])
})

test('law 8 · applied twice, each row gets its effect once', async () => {
  const server = await withOldRows()
  const apply = async (): Promise<unknown> => (await recover(server, { dryRun: false })).body
  const nothing = { dryRun: false, missing: [], underWay: 2, dead: [], orphans: [], isMore: false }
  expect(await apply()).toEqual({ ...nothing, missing: ['1', '3'], underWay: 0 })
  expect(await apply()).toEqual(nothing)
  expect(await delivered(server)).toEqual([
    ['1', 'one'],
    ['3', 'three'],
  ])
  expect(await apply()).toEqual({ ...nothing, underWay: 0 })
})

test('law 8 · applied on two servers at once, each row gets its effect once', async () => {
  const server = await withOldRows()
  await using db = await open(sqlite(server.file))
  const beside = await serve({ db, port: 0, dashboard: false, recover: embed })
  using held = lock(server.file)
  const told = [server.url, beside.url].map(async (url) => {
    const { body } = await call(url, 'POST', '/v1/effects/embed/recover', { dryRun: false })
    return [body.missing, body.underWay]
  })
  // Both have looked, and neither can commit.
  const engines = [server.logs.tidemark, db]
  const queued = (): number[] => engines.map((engine) => engine.stats().queued.operations)
  await expect.poll(queued, { timeout: 30_000 }).toEqual([1, 1])
  held.release()
  const once = [
    [['1', '3'], 0],
    [[], 2],
  ]
  expect(new Set(await Promise.all(told))).toEqual(new Set(once))
  await beside.close()
  expect(await delivered(server)).toHaveLength(2)
})

test('law 7 · one recovery looks at a time, of whichever kind', async () => {
  const server = await withOldRows()
  const looks: string[] = []
  const noted = (kind: string) => ({ missing: { compile: () => (looks.push(kind), missing) } })
  const recoveries = new Recoveries(server.logs.tidemark, { a: noted('a'), b: noted('b') })
  const stays = new AbortController().signal
  await Promise.all(['a', 'b', 'a'].map((kind) => recoveries.run(kind, {}, stays)))
  // However often each compiles its query, none does between those of another.
  expect(looks.filter((kind, index) => kind !== looks[index - 1])).toEqual(['a', 'b', 'a'])
})

test('what a client that has gone by its turn asked for is not done', async () => {
  const server = await withOldRows()
  const gone = AbortSignal.abort(new Error('gone'))
  const asked = new Recoveries(server.logs.tidemark, embed).run('embed', { dryRun: false }, gone)
  await expect(asked).rejects.toThrow('gone')
  expect(await delivered(server)).toEqual([])
})

test('law 8 · beside live writes, what is written with its effect is never enqueued again', async () => {
  const server = await withOldRows()
  await using writer = await open<{ chunks: Record<string, unknown> }>(sqlite(server.file))
  const write = async (): Promise<void> => {
    for (let id = 10; id < 110; id++) {
      const row = { id, body: `${id}`, vector: null }
      const receipt = writer.insert('chunks', row, { effects: [{ kind: 'embed', payload: `${id}` }] })
      if (id % 5 === 0) await receipt
    }
    await writer.flush()
  }
  const writing = write()
  const found: string[] = []
  for (let round = 0; round < 20; round++)
    found.push(...(await recover(server, { dryRun: false })).body.missing)
  await writing
  expect(found).toEqual(['1', '3'])
  expect(await delivered(server)).toHaveLength(102)
})

test('dead effects without a row are orphans, discarded when it is told to; those of rows are told as dead', async () => {
  const server = await withOldRows()
  const db = server.logs.tidemark
  const handling = await db.effects.handle('embed', async (effects) =>
    effects.map(() => ({ kind: 'dead', error: new Error('no model') })),
  )
  const orphan = db.enqueue({ kind: 'embed', key: 7 })
  await Promise.all([orphan, db.enqueue({ kind: 'embed', key: 3 })])
  await expect.poll(async () => (await db.effects.deadLetters()).length).toBe(2)
  await handling.stop()
  const told = { missing: ['1'], underWay: 0, dead: ['3'], orphans: [orphan.effectId()] }
  expect((await recover(server, {})).body).toMatchObject(told)
  expect(await db.effects.deadLetters()).toHaveLength(2)
  expect((await recover(server, { dryRun: false })).body).toMatchObject(told)
  expect(await db.effects.deadLetters()).toMatchObject([{ key: '3' }])
})

test('a kind that can be recovered is listed before anybody has handled it, and may be paused', async () => {
  const server = await withOldRows()
  await server.logs.tidemark.enqueue({ kind: 'a', key: null }, { kind: 'z', key: null })
  expect((await server.call('GET', '/v1/effects')).body.kinds).toMatchObject([
    { kind: 'a', queued: 1, canRecover: false },
    { kind: 'embed', queued: 0, waiting: 0, dead: 0, lanes: 0, isPaused: false, canRecover: true },
    { kind: 'z', queued: 1, canRecover: false },
  ])
  expect((await server.call('GET', '/v1/effects/a')).body.canRecover).toBe(false)
  expect((await server.call('GET', '/v1/stats')).body.effects).toMatchObject({ kinds: 3, undelivered: 2 })
  const paused = await server.call('POST', '/v1/effects/embed/pause')
  expect(paused.body).toMatchObject({ kind: 'embed', isPaused: true, canRecover: true })
})

test('of a kind that nobody said how to recover, it says who can', async () => {
  const server = await withOldRows({})
  const refused = await recover(server, {})
  expect(refused).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND', hint: expect.stringContaining('serve --recover FILE') },
  })
})

test('only an admin may ask, for a dry run too', async () => {
  const token = (scope: 'read' | 'write' | 'admin') =>
    ({ name: scope, token: `${scope}-0123456789abcdef`, scopes: [scope] }) as const
  const tokens = [token('read'), token('write'), token('admin')]
  const server = await withOldRows({ recover: embed, tokens })
  const as = async (scope: 'read' | 'write' | 'admin'): Promise<number> =>
    (await recover(server, {}, { authorization: `Bearer ${token(scope).token}` })).status
  expect([await as('read'), await as('write'), await as('admin')]).toEqual([403, 403, 200])
  expect((await recover(server, {})).status).toBe(401)
})

test('a body that says anything else is refused, and nothing of it is done', async () => {
  const server = await withOldRows()
  for (const body of [
    { dryRun: 'no' },
    { dryRun: false, limit: 0 },
    { dryRun: false, limit: 1.5 },
    { dryRun: false, limit: 100_001 },
    { dryRun: false, missing: { sql: 'SELECT 1 AS key', parameters: [] } },
    [],
  ]) {
    const refused = await recover(server, body)
    expect([refused.status, refused.body.code], JSON.stringify(body)).toEqual([422, 'INVALID_BODY'])
  }
  expect((await recover(server, '{"dryRun":')).status).toBe(400)
  expect(await delivered(server)).toEqual([])
})

test.for([
  ['SELECT absent AS key FROM chunks', 'QUERY_REFUSED', /recovers "embed" cannot be run: no such column/],
  ['DELETE FROM chunks RETURNING id AS key', 'QUERY_REFUSED', /cannot be run: a read cannot DELETE/],
  ['SELECT id FROM chunks', 'INVALID_CALL', /must have a `key`/],
] as const)('a query that does not do is told, and changes nothing: %s', async ([sql, code, detail]) => {
  const broken = { missing: { sql, parameters: [] } }
  const server = await withOldRows({ recover: { embed: broken, other: { missing } } })
  const refused = await recover(server, { dryRun: false })
  expect(refused).toMatchObject({ status: 422, body: { code, detail: expect.stringMatching(detail) } })
  expect(server.rows('SELECT count(*) AS n FROM chunks')).toEqual([{ n: 3 }])
  // The next in line does not suffer for it.
  expect((await server.call('POST', '/v1/effects/other/recover', {})).body.missing).toEqual(['1', '3'])
  expect(server.incidents).toEqual([])
})

test.for([
  [[], 'recover must be an object'],
  [{ embed: missing.sql }, 'recover["embed"] must be an object with missing, existing or both'],
  [{ embed: {} }, 'recover["embed"] must have missing, existing or both'],
  [{ '': { missing } }, 'recover[""]: a kind must be a text of 1'],
  [{ embed: { missing: 'SELECT 1 AS key' } }, '.missing must be a query'],
  [{ embed: { missing: { sql: '', parameters: [] } } }, '.missing must be a query'],
  [{ embed: { missing: { sql: 'SELECT 1 AS key' } } }, '.missing must be a query'],
  [{ embed: { existing: { sql: 'SELECT 1 AS key', parameters: [] } } }, '.existing must be a function'],
  [{ embed: { missing, dryRun: false } }, '.dryRun is not an option (options: missing, existing)'],
] as const)('the server does not start with %j', async ([given, problem]) => {
  await expect(running({ serve: { recover: given as never } })).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining(problem),
  })
})
