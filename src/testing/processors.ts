/** Strong reads wait for the processors of the keys that they name. */
import assert from 'node:assert/strict'
import { FakeProcessor } from './fake-processor.ts'
import { foreverMs, pause, stage } from './stage.ts'
import type { Topic } from './subject.ts'

const tables = 'CREATE TABLE files (path TEXT PRIMARY KEY, embedding TEXT)'
const lingering = { batch: { lingerMs: foreverMs } }
const [a, b] = [{ path: 'a.md' }, { path: 'b.md' }]
const all = { sql: 'SELECT path, embedding FROM files ORDER BY path', parameters: [] }

export const processors: Topic = (subject, test) => {
  // SPEC S0.3
  test('law 6 · a strong read waits until a processor has finished with the keys named, and sees what it wrote', async () => {
    await using at = await stage(subject, tables, lingering)
    const embeddings = new FakeProcessor('embeddings', (table, key) => {
      at.db.update('files', key, { embedding: 'done' })
      embeddings.finish(table, key)
    })
    at.db.follow(embeddings)
    at.db.upsert('files', { ...a, embedding: null })
    embeddings.begin('files', a)
    const { rows, pending } = await at.db.query(all, { consistency: 'strong', keys: [['files', a]] })
    assert.deepEqual(rows, [{ path: 'a.md', embedding: 'done' }])
    assert.deepEqual(pending, [])
    assert.deepEqual(embeddings.flushes, [{ table: 'files', key: a }])
  })

  test('law 6 · what a processor wrote while the read still waited for earlier writes is seen', async () => {
    await using at = await stage(subject, tables)
    const embeddings = new FakeProcessor('embeddings')
    at.db.follow(embeddings)
    at.db.upsert('files', { ...a, embedding: null })
    embeddings.begin('files', a)
    const goOn = await pause(at.db)
    const other = at.db.upsert('files', { ...b, embedding: null })
    // It waits for the second file; the processor is idle again before it comes to ask.
    const read = at.db.query(all, { consistency: 'strong', keys: [['files', a]] })
    const second = Promise.withResolvers<void>()
    const between = at.db.transaction(() => second.promise)
    at.db.update('files', a, { embedding: 'done' })
    embeddings.finish('files', a)
    await goOn()
    await other
    second.resolve()
    await between
    const { rows } = await read
    assert.deepEqual(rows[0], { path: 'a.md', embedding: 'done' })
  })

  test('law 6 · it waits for no other key, and without keys for no processor', async () => {
    await using at = await stage(subject, tables)
    const fake = new FakeProcessor()
    at.db.follow(fake)
    fake.begin('files', b)
    for (const options of ['strong', { consistency: 'strong', keys: [['files', a]] }] as const)
      assert.deepEqual((await at.db.query(all, options)).rows, [])
    assert.deepEqual(fake.flushes, [])
  })

  test('law 6 · other levels wait for processors only when told their names, eventual never', async () => {
    await using at = await stage(subject, tables)
    const fake = new FakeProcessor('fake', (table, key) => fake.finish(table, key))
    at.db.follow(fake)
    fake.begin('files', a)
    const keys = [['files', a]] as const
    const seen = await at.db.query(all, { consistency: 'eventual', keys })
    assert.deepEqual(
      seen.pending.map(({ table, operations, processors: names }) => [table, operations, names]),
      [['files', 0, ['fake']]],
    )
    await at.db.query(all, { consistency: 'readAfterWrite', keys })
    assert.equal(fake.flushes.length, 0)
    await at.db.query(all, { consistency: 'readAfterWrite', keys, processors: ['fake'] })
    assert.equal(fake.flushes.length, 1)
    assert.equal(at.db.pending('files', a), undefined)
  })

  test('law 6 · a processor that fails makes the read fail, with its error', async () => {
    await using at = await stage(subject, tables)
    const cause = new Error('no model')
    const fake = new FakeProcessor('embeddings', (table, key) =>
      queueMicrotask(() => fake.fail(table, key, cause)),
    )
    at.db.follow(fake)
    fake.begin('files', a)
    await assert.rejects(at.db.query(all, { consistency: 'strong', keys: [['files', a]] }), {
      code: 'PROCESSOR_FAILED',
      message: /processor "embeddings" failed for row .*a\.md.* no model/,
      cause,
    })
  })

  test('law 6 · a processor that hangs makes the read fail when its time is over', async () => {
    await using at = await stage(subject, tables)
    const fake = new FakeProcessor('embeddings')
    at.db.follow(fake)
    fake.begin('files', a)
    fake.hang()
    const options = { consistency: 'strong', keys: [['files', a]], timeoutMs: 20 } as const
    await assert.rejects(at.db.query(all, options), {
      code: 'STALE_READ',
      message: /processor "embeddings" had work pending for row .*a\.md.* after 20 ms/,
    })
  })

  test('law 6 · one that is followed no more is waited for by nobody; a name that is not followed is refused', async () => {
    await using at = await stage(subject, tables)
    const fake = new FakeProcessor('embeddings')
    const unfollow = at.db.follow(fake)
    assert.throws(() => at.db.follow(new FakeProcessor('embeddings')), { code: 'INVALID_CALL' })
    fake.begin('files', a)
    assert.deepEqual(at.db.pending('files', a)?.processors, ['embeddings'])
    unfollow()
    assert.equal(at.db.pending('files', a), undefined)
    await at.db.query(all, { consistency: 'strong', keys: [['files', a]] })
    const toNobody = { consistency: 'strong', processors: ['embeddings'] } as const
    await assert.rejects(async () => at.db.query(all, toNobody), {
      code: 'INVALID_CALL',
      message: /no processor named 'embeddings'/,
    })
  })
}
