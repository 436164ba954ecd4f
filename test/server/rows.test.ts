/** Rows of any table: written, changed, deleted, looked up. */
import { expect, onTestFinished, test } from 'vitest'
import { open } from '../../src/index.ts'
import { serve } from '../../src/server/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { change } from '../support/database-file.ts'
import { lock, NDJSON, running } from './running.ts'

const notes = '/v1/tables/notes/rows'
const files = '/v1/tables/files/rows'

test('law 1 · 201 means that the row is in the file, with the id that the answer gives', async () => {
  const server = await running()
  for (let index = 1; index <= 10; index++) {
    const { status, body, headers } = await server.call('POST', notes, { text: `note ${index}`, stars: 4.5 })
    expect({ status, id: body.id }).toEqual({ status: 201, id: index })
    expect(headers.get('tidemark-bookmark')).toBe(body.bookmark)
    expect(body.position).toMatchObject({ writer: server.logs.tidemark.writer })
    expect(server.rows(`SELECT text, stars FROM notes WHERE id = ${index}`)).toEqual([
      { text: `note ${index}`, stars: 4.5 },
    ])
  }
})

test('202 comes at once; the bookmark says when to look', async () => {
  const server = await running({ logs: { batch: { lingerMs: 60_000 } } })
  const { status, body } = await server.call('POST', `${notes}?ack=accepted`, { text: 'later' })
  expect(status).toBe(202)
  expect(body).toEqual({ position: body.position, bookmark: body.bookmark })
  expect(server.rows('SELECT * FROM notes')).toEqual([])
  const read = await server.call('GET', `${notes}?id=1`, undefined, {
    'tidemark-bookmark': body.bookmark,
    'tidemark-consistency': 'readAfterWrite',
  })
  expect(read.body.row).toMatchObject({ text: 'later' })
})

test('law 4 · a list is all or nothing', async () => {
  const server = await running()
  expect((await server.call('POST', notes, [{ text: 'a' }, { text: 'b' }])).status).toBe(201)
  const { status, body } = await server.call('POST', notes, [{ text: 'c' }, { text: 'a' }])
  expect({ status, code: body.code, deadLetter: body.deadLetter }).toEqual({
    status: 409,
    code: 'WRITE_REJECTED',
    deadLetter: 1,
  })
  expect(server.rows('SELECT text FROM notes')).toEqual([{ text: 'a' }, { text: 'b' }])
})

test('law 5 · of lines each stands alone: refused at the door, refused by the database, or written', async () => {
  const server = await running()
  const lines = [
    '{"text":"a"}',
    '{"text":"b","colour":1}',
    'nonsense',
    '{"text":"a"}',
    '',
    '[1]',
    '{"text":"c"}',
  ].join('\n')
  const { status, body } = await server.call('POST', notes, lines, NDJSON)
  expect(status).toBe(201)
  expect(body).toMatchObject({ accepted: 3, badCount: 3, rejected: 1, lines: 7 })
  expect(body.bad.map(({ line }: { line: number }) => line)).toEqual([2, 3, 6])
  expect(server.rows('SELECT text FROM notes ORDER BY id')).toEqual([{ text: 'a' }, { text: 'c' }])
  const { body: letters } = await server.call('GET', '/v1/dead-letters?table=notes')
  expect(letters.letters.map(({ code }: { code: string }) => code).toSorted()).toEqual([
    'SQLITE_CONSTRAINT_UNIQUE',
    'UNREADABLE_INPUT',
    'UNREADABLE_INPUT',
    'UNREADABLE_INPUT',
  ])
})

test('many lines are streamed: 50,000 rows, in the order of the lines', async () => {
  const server = await running()
  const count = 50_000
  const lines = Array.from({ length: count }, (_, index) => `{"text":"${index}"}`).join('\n')
  const { status, body } = await server.call('POST', notes, lines, NDJSON)
  expect({ status, accepted: body.accepted, rejected: body.rejected }).toEqual({
    status: 201,
    accepted: count,
    rejected: 0,
  })
  const [wrong] = server.rows<{ n: number }>(
    'SELECT count(*) AS n FROM notes WHERE CAST(text AS INTEGER) <> id - 1',
  )
  expect(wrong?.n).toBe(0)
  expect(server.rows('SELECT count(*) AS n FROM notes')).toEqual([{ n: count }])
})

test('PUT inserts, and updates what is there', async () => {
  const server = await running()
  expect((await server.call('PUT', files, { path: '/a', size: 1 })).status).toBe(200)
  expect(
    (
      await server.call('PUT', files, [
        { path: '/a', size: 2 },
        { path: '/b', size: 3 },
      ])
    ).status,
  ).toBe(200)
  expect(server.rows('SELECT path, size FROM files')).toEqual([
    { path: '/a', size: 2 },
    { path: '/b', size: 3 },
  ])
})

test('PATCH and DELETE change one row, and only if it is as expected', async () => {
  const server = await running()
  await server.call('PUT', files, [
    { path: '/a', size: 1 },
    { path: '/b', size: 1 },
  ])
  const changed = await server.call('PATCH', files, {
    key: { path: '/a', size: 1 },
    set: { size: 2 },
    expect: 1,
  })
  expect({ status: changed.status, changes: changed.body.changes }).toEqual({ status: 200, changes: 1 })
  const again = await server.call('PATCH', files, {
    key: { path: '/a', size: 1 },
    set: { size: 9 },
    expect: 1,
  })
  expect({ status: again.status, storeCode: again.body.storeCode }).toEqual({
    status: 409,
    storeCode: 'EXPECTATION_FAILED',
  })
  const deleted = await server.call('DELETE', files, { key: { path: '/b' } })
  expect({ status: deleted.status, changes: deleted.body.changes }).toEqual({ status: 200, changes: 1 })
  expect(server.rows('SELECT path, size FROM files')).toEqual([{ path: '/a', size: 2 }])
})

test('values: blobs, integers beyond 2^53 in and out, and JSON', async () => {
  const server = await running()
  const body = '{"path":"/a","size":9223372036854775807,"body":{"base64":"AP/+"}}'
  expect((await server.call('POST', files, body)).status).toBe(201)
  expect(server.rows('SELECT CAST(size AS TEXT) AS size, hex(body) AS body FROM files')).toEqual([
    { size: '9223372036854775807', body: '00FFFE' },
  ])
  const { text } = await server.call('GET', `${files}?path=/a`)
  expect(JSON.parse(text)).toEqual({
    row: { path: '/a', size: '9223372036854775807', body: { base64: 'AP/+' } },
    pending: false,
  })
  // What was read can be written: a text of digits is the number to an integer column.
  await server.call('PUT', files, { path: '/b', size: '9007199254740993' })
  expect(server.rows("SELECT typeof(size) AS type FROM files WHERE path = '/b'")).toEqual([
    { type: 'integer' },
  ])
  await server.call('PUT', files, '{"path":"/c","body":{"any":["json",9007199254740993]}}')
  expect(server.rows("SELECT body FROM files WHERE path = '/c'")).toEqual([
    { body: '{"any":["json",9007199254740993]}' },
  ])
})

test('a row shows what is pending, and says so', async () => {
  const server = await running({ logs: { batch: { lingerMs: 60_000 } } })
  const { body: none } = await server.call('GET', `${files}?path=/a`)
  expect(none).toEqual({ row: null, pending: false })
  await server.call('PUT', `${files}?ack=accepted`, { path: '/a', size: 1, body: null })
  const { body } = await server.call('GET', `${files}?path=/a`)
  expect(body).toEqual({ row: { path: '/a', size: 1, body: null }, pending: true })
  const eventual = await server.call('GET', `${files}?path=/a`, undefined, {
    'tidemark-consistency': 'eventual',
  })
  expect(eventual.body).toEqual({ row: null, pending: true })
  const strong = await server.call('GET', `${files}?path=/a`, undefined, { 'tidemark-consistency': 'strong' })
  expect(strong.body).toEqual({ row: { path: '/a', size: 1, body: null }, pending: false })
})

test('law 6 · a level that cannot be reached in time is no row and 503', async () => {
  const server = await running({ logs: { batch: { lingerMs: 60_000 } } })
  using held = lock(server.file)
  const { body } = await server.call('PUT', `${files}?ack=accepted`, { path: '/a' })
  const late = await server.call('GET', `${files}?path=/a`, undefined, {
    'tidemark-consistency': 'strong',
    'tidemark-timeout-ms': '50',
  })
  expect({ status: late.status, code: late.body.code, retry: late.headers.get('retry-after') }).toEqual({
    status: 503,
    code: 'STALE_READ',
    retry: '1',
  })
  const write = await server.call('PUT', files, { path: '/b' }, { 'tidemark-timeout-ms': '50' })
  expect({ status: write.status, code: write.body.code, outcome: write.body.outcome }).toEqual({
    status: 503,
    code: 'RECEIPT_TIMEOUT',
    outcome: 'unknown',
  })
  expect(write.headers.get('retry-after')).toBeNull()
  held.release()
  // It was accepted all the same: its bookmark shows it.
  const seen = await server.call('GET', `${files}?path=/b`, undefined, {
    'tidemark-bookmark': `${body.bookmark}, ${write.body.bookmark}`,
    'tidemark-consistency': 'readAfterWrite',
  })
  expect(seen.body.row).toMatchObject({ path: '/b' })
})

test('a write behind a bookmark carries on what that has seen', async () => {
  const server = await running()
  const first = await server.call('POST', notes, { text: 'a' })
  const second = await server.call('POST', notes, { text: 'b' }, { 'tidemark-bookmark': first.body.bookmark })
  expect(second.status).toBe(201)
  const forged = await server.call('POST', notes, { text: 'c' }, { 'tidemark-bookmark': 'AAAA' })
  expect({ status: forged.status, code: forged.body.code }).toEqual({ status: 400, code: 'INVALID_BOOKMARK' })
  expect(server.rows('SELECT text FROM notes')).toHaveLength(2)
})

const refused: readonly (readonly [string, string, unknown, number, string])[] = [
  ['POST', '/v1/tables/nowhere/rows', { a: 1 }, 404, 'UNKNOWN_TABLE'],
  ['POST', notes, { text: 'x', colour: 1 }, 422, 'UNKNOWN_COLUMN'],
  ['POST', notes, {}, 422, 'EMPTY_OPERATION'],
  ['POST', notes, 5, 422, 'INVALID_BODY'],
  ['POST', notes, null, 422, 'INVALID_BODY'],
  ['POST', notes, [], 422, 'INVALID_BODY'],
  ['POST', notes, [5], 422, 'INVALID_BODY'],
  ['POST', notes, '{"text":', 400, 'BAD_REQUEST'],
  ['POST', notes, '', 400, 'BAD_REQUEST'],
  ['POST', notes, '{"text":1e999}', 422, 'INVALID_BODY'],
  ['POST', notes, '{"text":"\\ud800"}', 422, 'UNBINDABLE_VALUE'],
  ['POST', notes, '{"__proto__":{"text":"x"}}', 400, 'BAD_REQUEST'],
  ['POST', notes, '{"constructor":{"prototype":{"text":"x"}}}', 400, 'BAD_REQUEST'],
  ['POST', files, { path: '/x', body: { base64: 'not base64!' } }, 422, 'INVALID_BODY'],
  ['POST', notes, `${'['.repeat(100)}${']'.repeat(100)}`, 400, 'BAD_REQUEST'],
  ['POST', notes, { text: 'x', stars: -1 }, 409, 'WRITE_REJECTED'],
  ['POST', `${notes}?ack=soon`, { text: 'x' }, 400, 'BAD_REQUEST'],
  ['PUT', notes, { text: 'no key' }, 422, 'MISSING_KEY'],
  ['PATCH', files, { key: {}, set: { size: 1 } }, 422, 'MISSING_KEY'],
  ['PATCH', files, { key: { path: '/a' } }, 422, 'INVALID_BODY'],
  ['PATCH', files, { key: { path: '/a' }, set: {}, also: 1 }, 422, 'INVALID_BODY'],
  ['PATCH', files, { key: { path: '/a' }, set: { size: 1 }, expect: -1 }, 422, 'INVALID_BODY'],
  ['DELETE', files, { key: { size: 1 } }, 422, 'MISSING_KEY'],
  ['DELETE', files, undefined, 422, 'INVALID_BODY'],
  ['GET', files, undefined, 422, 'MISSING_KEY'],
  ['GET', `${files}?size=1`, undefined, 422, 'INVALID_CALL'],
  ['GET', `${files}?path=a&path=b`, undefined, 400, 'BAD_REQUEST'],
  ['POST', '/v1/tables/tidemark_database/rows', { id: 'x' }, 403, 'FORBIDDEN'],
  ['GET', '/v1/tables/Tidemark_Database/rows?id=x', undefined, 403, 'FORBIDDEN'],
  ['DELETE', '/v1/tables/sqlite_schema/rows', { key: { name: 'x' } }, 403, 'FORBIDDEN'],
  ['POST', '/v1/tables/logs_text/rows', { message: 'x' }, 403, 'FORBIDDEN'],
  ['POST', '/v1/tables/logs_text_data/rows', { id: 9, block: 'x' }, 403, 'FORBIDDEN'],
]

test('what cannot be done is refused with its status and code, and is no fault of the server', async () => {
  const server = await running()
  for (const [method, route, body, status, code] of refused) {
    const answer = await server.call(method, route, body)
    const what = `${method} ${route} ${JSON.stringify(body)}: ${answer.text}`
    expect({ status: answer.status, code: answer.body?.code }, what).toEqual({ status, code })
    expect(answer.headers.get('content-type'), what).toContain('application/problem+json')
  }
  expect(server.incidents).toEqual([])
  expect(server.rows('SELECT * FROM notes')).toEqual([])
})

test('dead letters are listed page by page, and written again once their cause is mended', async () => {
  const server = await running()
  await server.call('POST', notes, { text: 'a' })
  for (let index = 0; index < 3; index++) await server.call('POST', notes, { text: 'a', stars: index })
  const first = await server.call('GET', '/v1/dead-letters?limit=2')
  expect(first.body.letters.map(({ id }: { id: number }) => id)).toEqual([1, 2])
  expect(first.body.letters[0].content[0]).toMatchObject({ kind: 'insert', table: 'notes', values: ['a', 0] })
  const second = await server.call('GET', `/v1/dead-letters?limit=2&after=${first.body.next}`)
  expect({ ids: second.body.letters.map(({ id }: { id: number }) => id), next: second.body.next }).toEqual({
    ids: [3],
    next: null,
  })

  change(server.file, "UPDATE notes SET text = 'other'")
  const { body } = await server.call('POST', '/v1/dead-letters/redrive', { ids: [1, 2] })
  expect(body.outcomes).toEqual([
    { id: 1, outcome: 'committed' },
    { id: 2, outcome: 'rejected', message: expect.stringContaining('UNIQUE') },
  ])
  const missing = await server.call('POST', '/v1/dead-letters/redrive', { ids: [99] })
  expect({ status: missing.status, code: missing.body.code }).toEqual({ status: 422, code: 'NOT_REDRIVABLE' })
})

test('an engine whose tables have types is served as it is', async () => {
  interface DB {
    notes: { id: number; text: string }
  }
  const db = await open<DB>(memory({ schema: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)' }))
  const server = await serve({ db, port: 0 })
  onTestFinished(async () => {
    await server.close()
    await db.close()
  })
  await db.insert('notes', { id: 1, text: 'typed' })
  const answer = await fetch(`${server.url}${notes}?id=1`)
  expect(await answer.json()).toMatchObject({ row: { id: 1, text: 'typed' } })
})
