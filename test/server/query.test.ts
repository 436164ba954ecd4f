/** `POST /v1/query`: what a client may ask in SQL, and what stops it. Nothing of it is decided by reading the text. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { metricReaches, NDJSON, running, type Answer, type Running } from './running.ts'

const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'

function ask(server: Running, sql: string, more: object = {}, headers = {}): Promise<Answer> {
  return server.call('POST', '/v1/query', { sql, ...more }, headers)
}

test('rows come as lists of values, in the order of the columns, and lose nothing', async () => {
  const server = await running()
  const { status, body, headers } = await ask(
    server,
    `SELECT ? AS a, ? AS a, 9007199254740993 AS big, x'00ff' AS blob, NULL AS missing, 9e999 AS infinite, ? AS whole`,
    { parameters: [1, 'two', 5] },
  )
  expect(status, JSON.stringify(body)).toBe(200)
  expect(body).toEqual({
    columns: ['a', 'a', 'big', 'blob', 'missing', 'infinite', 'whole'],
    rows: [[1, 'two', '9007199254740993', { base64: 'AP8=' }, null, 'Infinity', 5]],
    truncated: false,
  })
  expect(headers.get('tidemark-bookmark')).toBeTruthy()
})

test('a whole number of a client is one to SQLite, and so is one beyond 2^53', async () => {
  const server = await running()
  const sql = 'SELECT typeof(?), ? = 9007199254740993'
  const { body } = await server.call(
    'POST',
    '/v1/query',
    `{"sql":"${sql}","parameters":[5,9007199254740993]}`,
  )
  expect(body.rows).toEqual([['integer', 1]])
})

test('law 6 · a strong query sees all that was accepted before it', async () => {
  const server = await running()
  for (let index = 1; index <= 20; index++) {
    await server.call('POST', '/v1/tables/notes/rows?ack=accepted', { text: `note ${index}` })
    const { body } = await ask(server, 'SELECT count(*) FROM notes', {}, { 'tidemark-consistency': 'strong' })
    expect(body.rows).toEqual([[index]])
  }
})

test('law 6 · with the bookmark of a write, a query sees it', async () => {
  const server = await running()
  const written = await server.call('POST', '/v1/tables/notes/rows?ack=accepted', { text: 'mine' })
  const bookmark = written.headers.get('tidemark-bookmark') ?? ''
  const { body } = await ask(server, 'SELECT text FROM notes', {}, { 'tidemark-bookmark': bookmark })
  expect(body.rows).toEqual([['mine']])
})

const refused: readonly (readonly [what: string, sql: string])[] = [
  ['a write', "INSERT INTO notes (text) VALUES ('x')"],
  ['a write that gives rows', "INSERT INTO notes (text) VALUES ('x') RETURNING id"],
  ['a write behind WITH', 'WITH x AS (SELECT 1) DELETE FROM notes WHERE 1 RETURNING id'],
  ['an update', "UPDATE notes SET text = 'x' RETURNING 1"],
  ['ATTACH', "ATTACH 'other.db' AS other"],
  ['DETACH', 'DETACH main'],
  ['a pragma', 'PRAGMA table_info(notes)'],
  ['a pragma that sets', 'PRAGMA query_only = OFF'],
  ['writable_schema', 'PRAGMA writable_schema = ON'],
  ['a pragma as a table', "SELECT * FROM pragma_table_info('notes')"],
  ['VACUUM INTO', "VACUUM INTO 'copy.db'"],
  ['a transaction', 'BEGIN'],
  ['a savepoint', 'SAVEPOINT s'],
  ['a table', 'CREATE TABLE x (y)'],
  ['a temporary table', 'CREATE TEMP TABLE x (y)'],
  ['a temporary view', 'CREATE TEMP VIEW x AS SELECT 1'],
  ['a virtual table', 'CREATE VIRTUAL TABLE x USING fts5(y)'],
  ['DROP', 'DROP TABLE notes'],
  ['REINDEX', 'REINDEX'],
  ['ANALYZE', 'ANALYZE'],
  ['a command of the full-text index', "INSERT INTO logs_text (logs_text) VALUES ('rebuild')"],
  ['load_extension', "SELECT load_extension('x')"],
  ['the secret', 'SELECT secret FROM tidemark_database'],
  ['the secret under another name', 'SELECT x.* FROM (SELECT * FROM main."TIDEMARK_DATABASE") AS x'],
  ['the secret in a condition', "SELECT 1 WHERE (SELECT secret FROM tidemark_database) LIKE 'a%'"],
  ['how many secrets there are', 'SELECT count(*) FROM tidemark_database'],
  ['two statements', 'SELECT 1; SELECT 2'],
  ['no statement', '-- nothing'],
  ['half a statement', 'SELECT'],
  ['a table that is not there', 'SELECT * FROM nowhere'],
  ['EXPLAIN of a write', "EXPLAIN INSERT INTO notes (text) VALUES ('x')"],
]

test('everything but reading is refused by the engine, and changes nothing', async () => {
  const server = await running()
  const before = readFileSync(server.file)
  for (const [what, sql] of refused) {
    const { status, body } = await ask(server, sql)
    expect({ what, status, code: body.code }).toEqual({ what, status: 422, code: 'QUERY_REFUSED' })
    expect(JSON.stringify(body), 'no paths').not.toContain(server.file)
  }
  expect(server.rows('SELECT * FROM notes')).toEqual([])
  expect(readFileSync(server.file).equals(before)).toBe(true)
  expect((await ask(server, 'SELECT 1')).body.rows).toEqual([[1]])
})

test('a view of the owner over the secret shows it to no client', async () => {
  const server = await running()
  server.rows('CREATE VIEW harmless AS SELECT secret FROM tidemark_database')
  expect((await ask(server, 'SELECT * FROM harmless')).body.code).toBe('QUERY_REFUSED')
})

test('the full-text index can be searched', async () => {
  const server = await running()
  await server.call('POST', '/v1/logs?ack=committed', '{"msg":"needle in a haystack"}\n', NDJSON)
  const { body } = await ask(server, "SELECT rowid FROM logs_text WHERE logs_text MATCH 'needle'")
  expect(body.rows).toEqual([[1]])
})

test('an endless query is killed at its time, and the very next one is answered', async () => {
  const server = await running({ queries: { timeoutMs: 300 } })
  const { status, body } = await ask(server, endless)
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'QUERY_STOPPED' })
  expect((await ask(server, 'SELECT 1')).body.rows).toEqual([[1]])
  const metrics = await server.call('GET', '/metrics')
  expect(metrics.text).toContain('tidemark_sql_kills_total 1\n')
})

test('endless rows stop at the rows that were asked for, and at the bytes of an answer', async () => {
  const server = await running({ queries: { maxBytes: 1_000 } })
  const rows = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n'
  const few = await ask(server, rows, { maxRows: 3 })
  expect(few.body).toEqual({ columns: ['i'], rows: [[1], [2], [3]], truncated: true })
  const many = await ask(server, rows, { maxRows: 10_000 })
  expect(many.body.truncated).toBe(true)
  expect(many.text.length).toBeLessThan(1_200)
})

test.each([
  ['one value', 'SELECT zeroblob(900000000)'],
  [
    'a text that is put together',
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50) SELECT group_concat(hex(randomblob(1000000))) FROM n',
  ],
])('%s that needs more memory than a query may have is refused', async (_, sql) => {
  const server = await running()
  const { status, body } = await ask(server, sql)
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'QUERY_REFUSED' })
})

test('rows that take more memory than a process may have end the process, not the server', async () => {
  const server = await running({ queries: { maxBytes: 1_000_000_000, maxHeapMb: 16 } })
  const { status, body } = await ask(
    server,
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(randomblob(50000)) FROM n',
    { maxRows: 10_000 },
  )
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'QUERY_STOPPED' })
  expect((await ask(server, 'SELECT 1')).status).toBe(200)
})

test('so many run at once, so many wait, and the next is told to come again', async () => {
  const server = await running({ queries: { concurrency: 1, maxWaiting: 1, timeoutMs: 60_000 } })
  const gone = new AbortController()
  const hanging = [1, 2].map(() =>
    fetch(`${server.url}/v1/query`, {
      method: 'POST',
      body: JSON.stringify({ sql: endless }),
      headers: { 'content-type': 'application/json' },
      signal: gone.signal,
    }).catch(() => undefined),
  )
  await metricReaches(server, 'tidemark_sql_waiting 1')
  const { status, body, headers } = await ask(server, 'SELECT 1')
  const retry = headers.get('retry-after')
  expect({ status, code: body.code, retry }).toEqual({ status: 503, code: 'QUERY_BUSY', retry: '1' })
  // Whoever hangs up frees the place, be it of one that runs or of one that waits.
  gone.abort()
  await Promise.all(hanging)
  await metricReaches(server, 'tidemark_sql_running 0')
  expect((await ask(server, 'SELECT 1')).status).toBe(200)
})

const senseless: readonly (readonly [what: string, body: unknown])[] = [
  ['no body', undefined],
  ['no sql', {}],
  ['sql that is no text', { sql: 5 }],
  ['an empty text', { sql: '' }],
  ['a member that nobody knows', { sql: 'SELECT 1', timeout: 5 }],
  ['more rows than can be asked for', { sql: 'SELECT 1', maxRows: 10_001 }],
  ['no rows', { sql: 'SELECT 1', maxRows: 0 }],
  ['a parameter that is a list', { sql: 'SELECT ?', parameters: [[1]] }],
  ['a parameter that is an object', { sql: 'SELECT ?', parameters: [{ a: 1 }] }],
  ['too few parameters', { sql: 'SELECT ?, ?', parameters: [1] }],
  ['too many parameters', { sql: 'SELECT ?', parameters: [1, 2] }],
  ['a NUL', { sql: 'SELECT 1\0' }],
]

test('a request that makes no sense is refused', async () => {
  const server = await running()
  for (const [what, body] of senseless) {
    const { status } = await server.call('POST', '/v1/query', body)
    expect([400, 415, 422], what).toContain(status)
  }
})
