/** A server on a free port, over a real file, with everything that a client of it needs. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { openLogs, type LogsOptions, type LogStore } from '../../src/logs/index.ts'
import { serve, type Incident, type RunningServer, type ServeOptions } from '../../src/server/index.ts'
import { sqlite, sqliteQueries, type SqliteQueryOptions } from '../../src/stores/sqlite/index.ts'
import { change, look, temporaryFolder } from '../support/database-file.ts'

export const tables = `
  CREATE TABLE files (path TEXT PRIMARY KEY, size INTEGER, body BLOB) WITHOUT ROWID;
  CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, stars REAL CHECK (stars >= 0));
`

export interface Setting {
  readonly logs?: LogsOptions
  readonly queries?: SqliteQueryOptions
  readonly serve?: Partial<ServeOptions>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** What the text says, if it is JSON: each test knows what it asked for. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface Running {
  readonly url: string
  readonly file: string
  readonly logs: LogStore
  readonly server: RunningServer
  /** What the server wrote into its own log. */
  readonly incidents: { readonly error: unknown; readonly where: Incident }[]
  call(method: string, route: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  rows<Row = Record<string, unknown>>(sql: string): Row[]
}

export const NDJSON = { 'content-type': 'application/x-ndjson' }
const JSON_TYPE = { 'content-type': 'application/json' }

/** Closed at the end of the test; a test that closes it itself may. */
export async function running(setting: Setting = {}): Promise<Running> {
  const file = path.join(temporaryFolder(), 'app.db')
  change(file, tables)
  const logs = await openLogs(sqlite(file), setting.logs)
  const incidents: Running['incidents'] = []
  const server = await serve({
    logs,
    sql: sqliteQueries(file, setting.queries),
    port: 0,
    dashboard: false,
    onError: (error, where) => void incidents.push({ error, where }),
    ...setting.serve,
  })
  onTestFinished(async () => {
    await server.close({ drainMs: 1_000 })
    await logs.close({ timeoutMs: 1_000 }).catch(() => undefined)
  })
  return {
    url: server.url,
    file,
    logs,
    server,
    incidents,
    call: (method, route, body, headers) => call(server.url, method, route, body, headers),
    rows: (sql) => look(file, sql),
  }
}

/** An object is sent as JSON, a text as it is. */
export async function call(
  url: string,
  method: string,
  route: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isText = typeof body === 'string' || body instanceof Uint8Array
  const answer = await fetch(url + route, {
    method,
    headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers },
    ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
  })
  const text = await answer.text()
  const isJson = /json/.test(answer.headers.get('content-type') ?? '')
  return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

/** Waits until the metrics have this line. */
export async function metricReaches(server: Running, line: string): Promise<void> {
  for (;;) {
    const { text } = await server.call('GET', '/metrics')
    if (text.includes(`${line}\n`)) return
  }
}

/** Takes the write lock of a file, between two transactions of whoever writes. */
export function lock(file: string): Disposable & { release(): void } {
  const database = new DatabaseSync(file, { timeout: 10_000 })
  database.exec('BEGIN IMMEDIATE')
  const release = (): void => {
    if (database.isOpen) database.close()
  }
  return { release, [Symbol.dispose]: release }
}
