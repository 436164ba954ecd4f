import { expect, test } from 'vitest'
import { memoryEngine } from '../../test/support/memory-engine.ts'
import { rejection, failure } from '../../test/support/scripted-store.ts'
import { scriptedEngine } from '../../test/support/scripted-engine.ts'
import { Changes, type Change, type ChangesOptions } from './changes.ts'
import type { ChangeIterator } from './subscription.ts'

const schema = `
  CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, n INTEGER);
  CREATE TABLE files (path TEXT PRIMARY KEY, size INTEGER CHECK (size >= 0), hash BLOB);
`

/** All that comes until the engine is closed. */
async function all(changes: ChangeIterator): Promise<Change[]> {
  const seen: Change[] = []
  for await (const change of changes) seen.push(change)
  return seen
}

/** Takes what comes, as it comes. */
function follow(changes: ChangeIterator): { readonly seen: string[]; readonly ended: Promise<void> } {
  const seen: string[] = []
  const ended = (async () => {
    for await (const change of changes) seen.push(brief(change))
  })()
  return { seen, ended }
}

async function take(changes: ChangeIterator, count: number): Promise<Change[]> {
  const taken: Change[] = []
  while (taken.length < count) taken.push((await changes.next()).value as Change)
  return taken
}

function brief(change: Change): string {
  switch (change.kind) {
    case 'gap':
      return `${change.missed} missed to ${change.position.seq}`
    case 'statement':
      return `${change.position.seq} statement`
    default:
      return `${change.position.seq} ${change.kind} ${change.table}`
  }
}

// SPEC S4.4
test('law 6 · committed tells of every operation once, in position order, and leaves rejected ones out', async () => {
  await using at = await memoryEngine(schema)
  const { engine } = at
  const changes = new Changes(engine).subscribe({ when: 'committed' })
  const { operations } = engine
  operations.insert('songs', { title: 'a' })
  operations.insert('songs', { title: null })
  operations.insert('songs', { title: 'b' })
  operations.upsert('files', { path: 'x', size: 1 })
  operations.update('files', { path: 'x' }, { size: -1 })
  operations.delete('files', { path: 'x' })
  operations.write({ sql: 'UPDATE songs SET n = ? WHERE title = ?', parameters: [7, 'a'] })
  engine.group((group) => {
    group.insert('songs', { title: 'c' })
    group.insert('files', { path: 'y' })
  })
  engine.group((group) => {
    group.insert('songs', { title: 'never' })
    group.insert('songs', { title: null })
  })
  engine.load(
    (rows) => ['d', null, 'e'].forEach((title) => rows.insert('songs', { title })),
    [{ table: 'songs', text: '?', error: 'unreadable' }],
    undefined,
  )
  operations.insert('songs', { title: 'f' })
  await engine.close(1_000)
  expect((await all(changes)).map(brief)).toEqual([
    '1 insert songs',
    '3 insert songs',
    '4 upsert files',
    '6 delete files',
    '7 statement',
    '8 insert songs',
    '8 insert files',
    '10 insert songs',
    '12 insert songs',
    '14 insert songs',
  ])
})

// SPEC S4.4
test('law 6 · accepted tells of every operation when it is accepted, also of those that are rejected later', async () => {
  const { engine, store, runtime } = scriptedEngine()
  const hub = new Changes(engine)
  const accepted = hub.subscribe({ when: 'accepted' })
  const committed = follow(hub.subscribe({ when: 'committed' }))
  engine.operations.insert('t', { id: 1 })
  engine.group((group) => {
    group.insert('t', { id: 2 })
    group.delete('t', { id: 1 })
  })
  engine.load((rows) => [3, 4].forEach((id) => rows.insert('t', { id })), [], undefined)
  engine.operations.insert('t', { id: 5 })
  const expected = ['1 insert t', '2 insert t', '2 delete t', '3 insert t', '4 insert t', '5 insert t']
  expect((await take(accepted, 6)).map(brief)).toEqual(expected)
  void engine.flush()
  await runtime.settle()
  expect(committed.seen).toEqual([])
  store.land([rejection(2), rejection(4)])
  await runtime.settle()
  expect(committed.seen).toEqual(['1 insert t', '3 insert t', '5 insert t'])
})

test('law 6 · the receipt of a change that is told as committed says so too', async () => {
  await using at = await memoryEngine(schema)
  const changes = new Changes(at.engine).subscribe({ when: 'committed' })
  const receipt = at.engine.operations.insert('songs', { title: 'a' })
  const next = changes.next()
  void receipt.outcome()
  const { value } = await next
  expect(receipt.state).toBe('committed')
  expect(value?.position).toEqual(receipt.position)
})

test('law 6 · a batch that was committed in part before its reply was lost is told in parts, each change once', async () => {
  const { engine, store, runtime, insert } = scriptedEngine()
  const { seen } = follow(new Changes(engine).subscribe({ when: 'committed' }))
  insert(1, 2, 3, 4, 5)
  await runtime.settle()
  store.rejections.push(rejection(2), rejection(5))
  store.lose(3)
  await runtime.advance(10_000)
  expect(seen).toEqual(['1 insert t', '3 insert t'])
  expect(store.log).toEqual(['1-5', '4-5'])
  store.lose()
  await runtime.advance(10_000)
  insert(6)
  await store.landAll(() => runtime.settle())
  expect(seen).toEqual(['1 insert t', '3 insert t', '4 insert t', '6 insert t'])
})

test('law 6 · a batch that fails and is sent again is told once', async () => {
  const { engine, store, runtime, insert } = scriptedEngine()
  const { seen } = follow(new Changes(engine).subscribe({ when: 'committed' }))
  insert(1, 2)
  await runtime.settle()
  store.fail(failure('transient'))
  await runtime.advance(10_000)
  expect(seen).toEqual([])
  await store.landAll(() => runtime.settle())
  expect(seen).toEqual(['1 insert t', '2 insert t'])
})

test('law 6 · what is abandoned is not told as committed; the engine’s error comes last', async () => {
  const { engine, store, runtime, insert } = scriptedEngine()
  const hub = new Changes(engine)
  const { seen, ended } = follow(hub.subscribe({ when: 'committed' }))
  // It is awaited below, when it has long happened.
  ended.catch(() => undefined)
  insert(1)
  await store.landAll(() => runtime.settle())
  insert(2, 3)
  await runtime.settle()
  store.isClosed = true
  store.land()
  await runtime.settle()
  await expect(ended).rejects.toMatchObject({ code: 'FENCED' })
  expect(seen).toEqual(['1 insert t'])
  expect(() => hub.subscribe({ when: 'committed' })).toThrow(expect.objectContaining({ code: 'FENCED' }))
})

test('a change says what it set, where, and what the store told of it', async () => {
  await using at = await memoryEngine(schema)
  const { engine } = at
  const changes = new Changes(engine).subscribe({ when: 'committed' })
  const { operations } = engine
  operations.insert('songs', { title: 'a' })
  operations.insert('songs', { id: 9, title: 'b' })
  operations.insert('songs', { id: null, title: 'c' })
  operations.upsert('files', { path: 'x', size: 1 })
  operations.update('files', { path: 'x', size: 1 }, { size: 2 })
  operations.update('files', { path: 'nowhere' }, { size: 3 })
  operations.delete('files', { path: 'x' })
  operations.write({ sql: 'UPDATE songs SET n = ?', parameters: [7] })
  await engine.close(1_000)
  const position = (seq: number) => engine.position(seq as Change['position']['seq'])
  expect(await all(changes)).toEqual([
    { kind: 'insert', table: 'songs', position: position(1), values: { title: 'a' }, id: 1 },
    { kind: 'insert', table: 'songs', position: position(2), values: { id: 9, title: 'b' }, key: { id: 9 } },
    { kind: 'insert', table: 'songs', position: position(3), values: { id: null, title: 'c' } },
    {
      kind: 'upsert',
      table: 'files',
      position: position(4),
      values: { path: 'x', size: 1 },
      key: { path: 'x' },
    },
    {
      kind: 'update',
      table: 'files',
      position: position(5),
      values: { size: 2 },
      key: { path: 'x' },
      where: { size: 1 },
      changes: 1,
    },
    {
      kind: 'update',
      table: 'files',
      position: position(6),
      values: { size: 3 },
      key: { path: 'nowhere' },
      changes: 0,
    },
    { kind: 'delete', table: 'files', position: position(7), key: { path: 'x' }, changes: 1 },
    {
      kind: 'statement',
      position: position(8),
      sql: 'UPDATE songs SET n = ?',
      parameters: [7],
      changes: 3,
    },
  ])
})

test('law 1 · a consumer cannot change what is still to be committed; values are those that a read gives', async () => {
  await using at = await memoryEngine(schema)
  const { engine } = at
  const changes = new Changes(engine).subscribe({ when: 'accepted', table: 'files' })
  engine.operations.insert('files', { path: 'x', size: 2n ** 60n, hash: new Uint8Array([1, 2, 3]) })
  engine.operations.insert('files', { path: 'y', size: 5n, hash: true })
  const [first, second] = await take(changes, 2)
  if (first?.kind !== 'insert' || second?.kind !== 'insert') throw new Error('two inserts were made')
  const { hash } = first.values
  ;(hash as Uint8Array).fill(0)
  await engine.flush()
  const rows = await at.rows('SELECT path, size, hash FROM files ORDER BY path')
  expect(rows[0]?.['hash']).toEqual(new Uint8Array([1, 2, 3]))
  expect({ ...first.values, hash: new Uint8Array([1, 2, 3]) }).toEqual(rows[0])
  expect(second.values).toEqual(rows[1])
})

test('a subscription to a table is not told of others, nor of statements; two get what each asked for', async () => {
  await using at = await memoryEngine(schema)
  const hub = new Changes(at.engine)
  const files = hub.subscribe({ when: 'committed', table: 'files' })
  const songs = hub.subscribe({ when: 'committed', table: 'songs' })
  at.engine.operations.insert('songs', { title: 'a' })
  at.engine.operations.write({ sql: "INSERT INTO files (path) VALUES ('z')", parameters: [] })
  at.engine.operations.insert('files', { path: 'x' })
  await at.engine.close(1_000)
  expect((await all(files)).map(brief)).toEqual(['3 insert files'])
  expect((await all(songs)).map(brief)).toEqual(['1 insert songs'])
})

test('it begins with what is committed after the call, also of what was accepted before', async () => {
  const { engine, store, runtime, insert } = scriptedEngine()
  insert(1)
  await store.landAll(() => runtime.settle())
  insert(2)
  await runtime.settle()
  const hub = new Changes(engine)
  const committed = hub.subscribe({ when: 'committed' })
  const accepted = hub.subscribe({ when: 'accepted' })
  insert(3)
  await store.landAll(() => runtime.settle())
  await engine.close(1_000)
  expect((await all(committed)).map(brief)).toEqual(['2 insert t', '3 insert t'])
  expect((await all(accepted)).map(brief)).toEqual(['3 insert t'])
})

test('law 7 · writers do not wait for a consumer: it learns how much it missed, and goes on', async () => {
  await using at = await memoryEngine(schema)
  const changes = new Changes(at.engine).subscribe({ when: 'committed', maxBuffered: 2 })
  for (let n = 1; n <= 5; n++) at.engine.operations.insert('songs', { title: `${n}` })
  await at.engine.flush()
  expect((await take(changes, 3)).map(brief)).toEqual(['1 insert songs', '2 insert songs', '3 missed to 5'])
  at.engine.operations.insert('songs', { title: null })
  at.engine.operations.insert('songs', { title: '7' })
  expect((await take(changes, 1)).map(brief)).toEqual(['7 insert songs'])
})

test('law 7 · the engine is followed only while somebody subscribes', async () => {
  await using at = await memoryEngine(schema)
  const hub = new Changes(at.engine)
  expect(at.engine.follower).toBeUndefined()
  const abort = new AbortController()
  const one = hub.subscribe({ when: 'accepted', signal: abort.signal })
  const two = hub.subscribe({ when: 'committed' })
  hub.subscribe({ when: 'committed', signal: AbortSignal.abort() })
  await two.return()
  expect(at.engine.follower).toBe(hub)
  abort.abort()
  expect(at.engine.follower).toBeUndefined()
  expect((await one.next()).done).toBe(true)
  const three = hub.subscribe({ when: 'committed' })
  await at.engine.close(1_000)
  expect(at.engine.follower).toBeUndefined()
  expect((await three.next()).done).toBe(true)
  expect(() => hub.subscribe({ when: 'committed' })).toThrow(expect.objectContaining({ code: 'CLOSED' }))
})

test('close() that had to abandon something ends a subscription with its error', async () => {
  const { engine, runtime, insert } = scriptedEngine()
  const changes = new Changes(engine).subscribe({ when: 'committed' })
  insert(1)
  const closed = engine.close(50).catch(() => undefined)
  await runtime.advance(60)
  await closed
  await expect(changes.next()).rejects.toMatchObject({ code: 'DEADLINE_PASSED' })
})

test('interactive transactions are not told', async () => {
  await using at = await memoryEngine(schema)
  const changes = new Changes(at.engine).subscribe({ when: 'committed' })
  await at.engine.transaction(
    (trx) => trx.query({ sql: "INSERT INTO songs (title) VALUES ('a')", parameters: [] }),
    1_000,
  )
  at.engine.operations.insert('songs', { title: 'b' })
  await at.engine.close(1_000)
  expect((await all(changes)).map(brief)).toEqual(['2 insert songs'])
})

test.each([
  [undefined, /options must be an object/],
  [{}, /when must be 'accepted' or 'committed'/],
  [{ when: 'soon', colour: 'red' }, /colour is not an option.*when must be .* not "soon"/],
  [{ when: 'committed', maxBuffered: 0 }, /maxBuffered must be a whole number above 0, not 0/],
  [{ when: 'committed', maxBufferedBytes: 1.5 }, /maxBufferedBytes must be/],
  [{ when: 'committed', signal: 'stop' }, /signal must be an AbortSignal/],
  [{ when: 'committed', table: 'nope' }, /no table "nope" \(tables: t\)/],
])('options %j are refused at the call', (options, message) => {
  const { engine } = scriptedEngine()
  expect(() => new Changes(engine).subscribe(options as ChangesOptions)).toThrow(message)
  expect(engine.follower).toBeUndefined()
})
