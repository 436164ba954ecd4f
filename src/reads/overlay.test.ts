import { expect, test } from 'vitest'
import { overlayEngine, type OverlayEngine } from '../../test/support/overlay-engine.ts'
import type { RowKey } from '../contracts/processor.ts'
import { memory } from '../stores/memory/index.ts'
import type { MemoryStore } from '../stores/memory/store.ts'

const schema = `CREATE TABLE cells (id INTEGER PRIMARY KEY, v, size INTEGER);
  CREATE TABLE pairs (x INTEGER, y TEXT, v, PRIMARY KEY (x, y));
  CREATE TABLE defaulted (id TEXT PRIMARY KEY, v DEFAULT 'x');
  CREATE TABLE computing (id INTEGER PRIMARY KEY, v, w AS (v));
  CREATE TABLE keyless (v)`

async function fresh(): Promise<{ at: OverlayEngine; database: MemoryStore['database'] }> {
  const store = memory({ schema }) as MemoryStore
  return { at: await overlayEngine(store, { batch: { lingerMs: 60_000 } }), database: store.database }
}

/** A transaction that has its turn and does not end: until it does, nothing is committed. */
async function hold({ engine }: OverlayEngine): Promise<() => Promise<unknown>> {
  const begun = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const done = engine.transaction(async () => {
    begun.resolve()
    await ending.promise
  }, 60_000)
  await begun.promise
  return () => {
    ending.resolve()
    return done
  }
}

// SPEC S2.1
test('law 6 · what was accepted a moment ago is shown at once, as the commit will give it', async () => {
  const { at } = await fresh()
  await using _ = at
  const { operations } = at.engine
  operations.insert('cells', { id: 1, v: 'new' })
  expect(at.get('cells', { id: 1 })).toEqual({ row: { id: 1, v: 'new', size: null }, pending: true, seen: 1 })
  operations.update('cells', { id: 1n }, { size: true })
  operations.upsert('pairs', { x: 1, y: 'a', v: 2n })
  expect(at.get('cells', { id: 1 })).toEqual({ row: { id: 1, v: 'new', size: 1 }, pending: true, seen: 2 })
  expect(at.get('pairs', { y: 'a', x: 1n })).toEqual({ row: { x: 1, y: 'a', v: 2 }, pending: true, seen: 3 })
  operations.delete('cells', { id: 1 })
  expect(at.get('cells', { id: 1 })).toEqual({ row: undefined, pending: true, seen: 4 })
  await at.engine.flush()
  expect(at.get('pairs', { x: 1, y: 'a' })).toEqual({ row: { x: 1, y: 'a', v: 2 }, pending: false, seen: 4 })
  expect(at.get('cells', { id: 1 })).toEqual({ row: undefined, pending: false, seen: 4 })
  expect([at.overlay.hits, at.overlay.waits]).toEqual([6, 0])
})

test('law 6 · a value that nobody can foresee is waited for, and ends the linger', async () => {
  const { at } = await fresh()
  await using _ = at
  at.engine.operations.insert('cells', { id: 1, v: 'new', size: '5' })
  at.engine.operations.insert('defaulted', { id: 'a' })
  at.engine.operations.insert('computing', { id: 1, v: 'v' })
  expect(await at.get('cells', { id: 1 })).toEqual({
    row: { id: 1, v: 'new', size: 5 },
    pending: false,
    seen: 3,
  })
  at.engine.operations.upsert('defaulted', { id: 'b' })
  expect((await at.get('defaulted', { id: 'b' })).row).toEqual({ id: 'b', v: 'x' })
  at.engine.operations.update('computing', { id: 1 }, { v: 'changed' })
  expect((await at.get('computing', { id: 1 })).row).toEqual({ id: 1, v: 'changed', w: 'changed' })
  expect([at.overlay.hits, at.overlay.waits]).toEqual([0, 3])
})

test('law 6 · an insert whose key the database makes could be the row that is asked for', async () => {
  const { at } = await fresh()
  await using _ = at
  at.engine.operations.insert('cells', { v: 'a' })
  at.engine.operations.update('cells', { id: 1 }, { v: 'b' })
  expect(await at.get('cells', { id: 1 })).toEqual({
    row: { id: 1, v: 'b', size: null },
    pending: false,
    seen: 2,
  })
  at.engine.operations.insert('cells', { v: 'c' })
  // A row that is there cannot be made once more.
  expect(at.get('cells', { id: 1 })).toMatchObject({ pending: false, seen: 2 })
})

test('law 6 · a read that has to wait longer than it may fails, and shows nothing', async () => {
  const { at } = await fresh()
  await using _ = at
  const end = await hold(at)
  await expect(at.get('cells', { id: 1 }, 5)).rejects.toMatchObject({ code: 'STALE_READ' })
  const waiting = at.get('cells', { id: 1 })
  await end()
  expect(await waiting).toEqual({ row: undefined, pending: false, seen: 1 })
})

test('law 6 · binary values are copies: who changes what it got changes nothing else', async () => {
  const { at } = await fresh()
  await using _ = at
  at.engine.operations.upsert('cells', { id: 1, v: new Uint8Array([1, 2]) })
  const { row } = await at.get('cells', { id: 1 })
  expect(row?.['v']).toBeInstanceOf(Uint8Array)
  if (row?.['v'] instanceof Uint8Array) row['v'].fill(9)
  expect(await at.get('cells', { id: 1 })).toMatchObject({
    row: { v: new Uint8Array([1, 2]) },
    pending: true,
  })
  await at.engine.flush()
  expect(await at.get('cells', { id: 1 })).toMatchObject({
    row: { v: new Uint8Array([1, 2]) },
    pending: false,
  })
})

test('what is pending for a row is counted, until it is committed', async () => {
  const { at } = await fresh()
  await using _ = at
  expect(at.overlay.pending('cells', { id: 1 })).toBeUndefined()
  at.engine.operations.upsert('cells', { id: 1, v: 'a' })
  at.engine.operations.upsert('cells', { id: 2, v: 'a' })
  at.engine.group((group) => {
    group.update('cells', { id: 1 }, { v: 'b' })
    group.update('cells', { id: 1 }, { v: 'c' })
  })
  const pending = at.overlay.pending('cells', { id: 1n })
  expect(pending).toEqual({ operations: 3, oldestMs: expect.any(Number) })
  expect(pending?.oldestMs).toBeGreaterThanOrEqual(0)
  expect(at.overlay.pending('cells', { id: '1' }), 'a key that is not proven').toBeUndefined()
  await at.engine.flush()
  expect(at.overlay.pending('cells', { id: 1 })).toBeUndefined()
})

test('law 10 · a database that is behind what was committed stops the engine', async () => {
  const { at, database } = await fresh()
  await using _ = at
  at.engine.operations.insert('cells', { id: 1 })
  await at.engine.flush()
  database.exec('UPDATE tidemark_writers SET watermark = 0')
  expect(() => at.get('cells', { id: 1 })).toThrow(expect.objectContaining({ code: 'HISTORY_LOST' }))
  expect(() => at.engine.operations.insert('cells', { id: 2 })).toThrow(
    expect.objectContaining({ code: 'HISTORY_LOST' }),
  )
})

test('law 10 · a database that does not know the writer stops the engine', async () => {
  const { at, database } = await fresh()
  await using _ = at
  database.exec('DELETE FROM tidemark_writers')
  expect(() => at.get('cells', { id: 1 })).toThrow(/does not know this writer/)
  expect(() => at.engine.operations.insert('cells', { id: 2 })).toThrow(
    expect.objectContaining({ code: 'HISTORY_LOST' }),
  )
})

test('law 1 · when the engine stops, who waits for a commit is told, and later reads show what is committed', async () => {
  const { at, database } = await fresh()
  await using _ = at
  await at.engine.operations.insert('cells', { id: 1, v: 'committed' })
  at.engine.operations.write({ sql: 'DELETE FROM cells', parameters: [] })
  at.engine.operations.update('cells', { id: 1 }, { v: 'abandoned' })
  const waiting = at.get('cells', { id: 1 })
  database.exec('UPDATE tidemark_writers SET closed = 1')
  await expect(waiting).rejects.toMatchObject({ code: 'FENCED' })
  expect(at.get('cells', { id: 1 })).toMatchObject({ row: { v: 'committed' }, pending: false })
  expect(at.overlay.pending('cells', { id: 1 })).toBeUndefined()
})

test('law 6 · operations accepted before the tables changed are waited for', async () => {
  const { at, database } = await fresh()
  await using _ = at
  at.engine.operations.upsert('defaulted', { id: 'a', v: 'given' })
  at.engine.operations.upsert('cells', { id: 1, v: 'given' })
  database.exec(`ALTER TABLE cells ADD COLUMN more DEFAULT 'more';
    CREATE TRIGGER t AFTER INSERT ON defaulted BEGIN UPDATE defaulted SET v = upper(v); END`)
  at.engine.useSchema(await at.store.reloadSchema())
  const row = { id: 1, v: 'given', size: null, more: 'more' }
  expect(await at.get('cells', { id: 1 })).toEqual({ row, pending: false, seen: 2 })
  expect(await at.get('defaulted', { id: 'a' })).toMatchObject({ row: { v: 'GIVEN' }, pending: false })
})

test('law 6 · a transaction that was asked for before the read is in it, and what comes behind is folded on it', async () => {
  const { at } = await fresh()
  await using _ = at
  const transaction = at.engine.transaction(
    (trx) => trx.query({ sql: "INSERT INTO cells VALUES (1, 'by hand', 5)", parameters: [] }),
    60_000,
  )
  at.engine.operations.update('cells', { id: 1 }, { v: 'behind' })
  expect(await at.get('cells', { id: 1 })).toMatchObject({ row: { id: 1, v: 'behind', size: 5 } })
  await transaction
})

test('a key that names no row of the schema is refused at the call, and nothing of queues is said', async () => {
  const { at } = await fresh()
  await using _ = at
  const codeOf = (ask: () => unknown): unknown => {
    try {
      ask()
    } catch (error) {
      expect(String(error)).toMatch(/^TidemarkError: tidemark: (?!.*queued)/)
      return (error as { code?: unknown }).code
    }
    return expect.fail('it was taken')
  }
  const refusal = (table: string, key: unknown): unknown => {
    const code = codeOf(() => at.get(table, key as RowKey))
    expect(codeOf(() => at.overlay.pending(table, key as RowKey))).toBe(code)
    return code
  }
  expect(refusal('nothing', { id: 1 })).toBe('UNKNOWN_TABLE')
  expect(refusal('keyless', { v: 1 })).toBe('MISSING_KEY')
  expect(refusal('cells', { id: 1, colour: 'red' })).toBe('UNKNOWN_COLUMN')
  expect(refusal('cells', { id: 1, v: 'more' })).toBe('INVALID_CALL')
  expect(refusal('cells', 1)).toBe('INVALID_CALL')
  expect(refusal('cells', null)).toBe('INVALID_CALL')
  expect(refusal('cells', { id: null })).toBe('MISSING_KEY')
  expect(refusal('cells', { id: undefined })).toBe('MISSING_KEY')
  expect(refusal('pairs', { x: 1 })).toBe('MISSING_KEY')
  expect(refusal('cells', { id: Number.NaN })).toBe('UNBINDABLE_VALUE')
  expect(refusal('cells', { id: Symbol('1') })).toBe('UNBINDABLE_VALUE')
})
