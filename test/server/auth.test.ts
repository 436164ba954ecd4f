/** Who may call what, and from where. */
import { request } from 'node:http'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { openLogs } from '../../src/logs/index.ts'
import { parseTokens, SCOPES, serve, type Scope, type Token } from '../../src/server/index.ts'
import { registerGuard } from '../../src/server/auth.ts'
import { Tokens } from '../../src/server/tokens.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { running, type Running } from './running.ts'

const secretOf = (scope: Scope): string => `secret-of-the-${scope}-scope`
const tokens: Token[] = SCOPES.map((scope) => ({ name: scope, scopes: [scope], token: secretOf(scope) }))

interface Operation {
  readonly method: string
  readonly path: string
  readonly scope: Scope | undefined
}

/** Every route there is, with the scope that it says it needs. */
async function operations(server: Running): Promise<Operation[]> {
  const { body } = await server.call('GET', '/openapi.json')
  return Object.entries(
    body.paths as Record<string, Record<string, { description?: string; security: unknown[] }>>,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description = '', security }]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'notes'),
      scope: security.length === 0 ? undefined : (/Scope: (\w+)\./.exec(description)?.[1] as Scope),
    })),
  )
}

/** What each route needs, said a second time: a route that is new, or needs something else now, must be thought of here. */
const expected: Readonly<Record<string, Scope | 'open'>> = {
  'GET /healthz': 'open',
  'HEAD /healthz': 'open',
  'GET /readyz': 'open',
  'HEAD /readyz': 'open',
  'GET /metrics': 'read',
  'GET /v1/stats': 'read',
  'GET /v1/stats/history': 'read',
  'POST /v1/logs': 'write',
  'GET /v1/logs/search': 'read',
  'GET /v1/logs/recent': 'read',
  'GET /v1/logs/tail': 'read',
  'POST /v1/logs/cleanup': 'admin',
  'GET /v1/tables/notes/rows': 'read',
  'POST /v1/tables/notes/rows': 'write',
  'PUT /v1/tables/notes/rows': 'write',
  'PATCH /v1/tables/notes/rows': 'write',
  'DELETE /v1/tables/notes/rows': 'write',
  'POST /v1/query': 'read',
  'GET /v1/dead-letters': 'read',
  'POST /v1/dead-letters/redrive': 'admin',
  'GET /v1/health': 'read',
  'GET /v1/effects': 'read',
  'GET /v1/effects/notes': 'read',
  'GET /v1/effects/notes/dead': 'read',
  'GET /v1/effects/notes/waiting': 'read',
  'GET /v1/effect-results/notes': 'read',
  'GET /v1/stats/effects': 'read',
  'POST /v1/effects/redrive': 'admin',
  'POST /v1/effects/discard': 'admin',
  'POST /v1/effects/notes/pause': 'admin',
  'POST /v1/effects/notes/resume': 'admin',
  'POST /v1/effects/notes/recover': 'admin',
}

test('every route says which scope it needs', async () => {
  const server = await running({ serve: { tokens } })
  const found = (await operations(server)).map(({ method, path, scope }) => [
    `${method} ${path}`,
    scope ?? 'open',
  ])
  expect(Object.fromEntries(found)).toEqual(expected)
})

test('a server with a route that does not say its scope does not start', async () => {
  const guard = { tokens: new Tokens(tokens), origins: [] }
  const without = fastify()
  registerGuard(without, guard)
  without.get('/', () => 'data')
  await expect(without.ready()).rejects.toThrow('GET / does not say which scope it needs')

  // Whoever registers pages may say it for all of them.
  const app = fastify()
  registerGuard(app, guard)
  await app.register(async (pages) => {
    pages.addHook('onRoute', (route) => void (route.config = { ...route.config, scope: 'open' }))
    pages.get('/', () => 'page')
  })
  expect((await app.inject('/')).statusCode).toBe(200)
})

test('every route takes a token of its scope, and none without', async () => {
  const server = await running({ serve: { tokens } })
  for (const { method, path, scope } of await operations(server)) {
    const what = `${method} ${path}`
    const ask = (headers: Record<string, string>): Promise<number> =>
      statusOf(server.url, method, path, headers)
    if (scope === undefined) {
      expect(await ask({}), what).toBe(200)
      continue
    }
    expect(await ask({}), `${what} without a token`).toBe(401)
    expect(
      await ask({ authorization: 'Bearer nobody-knows-this-token' }),
      `${what} with an unknown token`,
    ).toBe(401)
    expect(await ask({ authorization: `Basic ${secretOf(scope)}` }), `${what} with another scheme`).toBe(401)
    for (const other of SCOPES) {
      const status = await ask({ authorization: `Bearer ${secretOf(other)}` })
      if (other === scope) expect([401, 403], `${what} with ${other}`).not.toContain(status)
      else expect(status, `${what} with ${other}`).toBe(403)
    }
  }
  expect(server.incidents).toEqual([])
})

test('a refusal says what is missing, and repeats no token', async () => {
  const server = await running({ serve: { tokens } })
  const none = await server.call('GET', '/v1/stats')
  expect({
    status: none.status,
    code: none.body.code,
    challenge: none.headers.get('www-authenticate'),
  }).toEqual({
    status: 401,
    code: 'UNAUTHORIZED',
    challenge: 'Bearer',
  })
  const wrong = await server.call('GET', '/v1/stats', undefined, {
    authorization: `Bearer ${secretOf('write')}`,
  })
  expect(wrong.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="read"')
  expect(wrong.text).not.toContain(secretOf('write'))
  const unknown = await server.call('GET', '/nowhere')
  expect(unknown.status, 'which paths there are is not for everybody').toBe(401)
})

test('a refused upload is not read', async () => {
  const server = await running({ serve: { tokens } })
  const body = '{"msg":"x"}\n'.repeat(100_000)
  const { status } = await server.call('POST', '/v1/logs', body, { 'content-type': 'application/x-ndjson' })
  expect(status).toBe(401)
  expect(
    server.logs.tidemark.stats().queued.operations + server.logs.tidemark.stats().committed.operations,
  ).toBe(0)
})

const foreign: readonly (readonly [what: string, headers: Record<string, string>])[] = [
  ['a foreign name (DNS rebinding)', { host: 'evil.example' }],
  ['a foreign name with the right port', { host: 'evil.example:7373' }],
  ['a name that only begins like ours', { host: 'localhost.evil.example' }],
  ['an address that only begins like ours', { host: '127.0.0.1.evil.example' }],
  ['a page of another site', { origin: 'https://evil.example' }],
  ['a page without an origin', { origin: 'null' }],
  ['a page of another port here', { origin: 'http://127.0.0.1:1' }],
  ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
  ['a request of another port here', { 'sec-fetch-site': 'same-site' }],
]

test('without tokens nothing is told to foreign names and pages', async () => {
  const server = await running()
  for (const [what, headers] of foreign) {
    expect(await statusOf(server.url, 'GET', '/v1/stats', headers), what).toBe(403)
    expect(await statusOf(server.url, 'POST', '/v1/logs', headers), what).toBe(403)
    expect(await statusOf(server.url, 'GET', '/healthz', headers), what).toBe(403)
  }
})

test('without tokens this machine is served, under each of its names, also from its own pages', async () => {
  const server = await running()
  const { port } = new URL(server.url)
  for (const headers of [
    { host: `127.0.0.1:${port}` },
    { host: `localhost:${port}` },
    { host: `LOCALHOST:${port}` },
    { host: `[::1]:${port}` },
    { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' },
    { host: `127.0.0.1:${port}`, 'sec-fetch-site': 'none' },
  ])
    expect(await statusOf(server.url, 'GET', '/v1/stats', headers), JSON.stringify(headers)).toBe(200)
  // A link that is followed shows the page to its user, not to the page with the link.
  const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  expect(await statusOf(server.url, 'GET', '/healthz', followed)).toBe(200)
  expect(await statusOf(server.url, 'GET', '/v1/stats', followed)).toBe(403)
})

test('CORS is off unless an origin is allowed, and then only for that one', async () => {
  const closed = await running()
  const preflight = { origin: 'https://admin.example', 'access-control-request-method': 'POST' }
  expect(await statusOf(closed.url, 'OPTIONS', '/v1/logs', preflight)).toBe(403)

  const server = await running({ serve: { cors: ['https://admin.example'] } })
  const asked = await server.call('OPTIONS', '/v1/logs', undefined, preflight)
  expect(asked.status).toBe(204)
  expect(asked.headers.get('access-control-allow-origin')).toBe('https://admin.example')
  expect(asked.headers.get('access-control-allow-headers')).toContain('Authorization')
  expect(asked.headers.get('vary')).toContain('Origin')
  const answered = await server.call('GET', '/v1/stats', undefined, {
    origin: 'https://admin.example',
    'sec-fetch-site': 'cross-site',
  })
  expect(answered.status).toBe(200)
  expect(answered.headers.get('access-control-allow-origin')).toBe('https://admin.example')
  expect(answered.headers.get('access-control-allow-credentials')).toBeNull()
  for (const origin of [
    'https://evil.example',
    'http://admin.example',
    'https://admin.example.evil.example',
  ]) {
    const other = await server.call('GET', '/v1/stats', undefined, { origin })
    expect({ status: other.status, allowed: other.headers.get('access-control-allow-origin') }).toEqual({
      status: 403,
      allowed: null,
    })
    expect(await statusOf(server.url, 'OPTIONS', '/v1/logs', { ...preflight, origin })).toBe(403)
  }
})

test('answers tell a browser to run nothing, show it nowhere and keep nothing', async () => {
  const server = await running()
  for (const route of ['/v1/stats', '/nowhere', '/healthz']) {
    const { headers } = await server.call('GET', route)
    expect(headers.get('content-security-policy'), route).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy')).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('server')).toBeNull()
    expect(headers.get('cache-control')).toBe('no-store')
  }
})

test('tokens are read from lines of name, scopes and token', () => {
  const digest = 'a'.repeat(64)
  expect(
    parseTokens(
      `# people\n\ngrafana read ${'x'.repeat(16)}\r\nops read,write,admin sha256:${digest}\n`,
      'file',
    ),
  ).toEqual([
    { name: 'grafana', scopes: ['read'], token: 'x'.repeat(16) },
    { name: 'ops', scopes: ['read', 'write', 'admin'], sha256: digest },
  ])
})

test.each([
  ['a token that is too short', 'a read tooshort', 'line 1'],
  ['an unknown scope', `a root ${'x'.repeat(16)}`, 'line 1'],
  ['a word too many', `# x\na read ${'x'.repeat(16)} more`, 'line 2'],
  ['no scopes', 'a', 'line 1'],
  ['characters that no header has', `a read "${'x'.repeat(16)}"`, 'line 1'],
  ['nothing', '# nobody', 'holds no token'],
])('a token file with %s is refused, and what stands in it is not repeated', (_, text, says) => {
  let message = ''
  try {
    parseTokens(text, 'tokens.txt')
  } catch (error) {
    message = String(error)
  }
  expect(message).toContain(says)
  expect(message).not.toContain('xxxx')
  expect(message).not.toContain('tooshort')
})

test('a token may be given by its digest', async () => {
  const { createHash } = await import('node:crypto')
  const token = 'a-token-of-enough-characters'
  const sha256 = createHash('sha256').update(token).digest('hex')
  const server = await running({ serve: { tokens: [{ name: 'x', scopes: ['read'], sha256 }] } })
  expect(
    (await server.call('GET', '/v1/stats', undefined, { authorization: `Bearer ${token}` })).status,
  ).toBe(200)
})

test.each([
  ['a host that others reach, without tokens', { host: '0.0.0.0' }],
  ['a host name that others reach, without tokens', { host: 'db.example' }],
  ['two tokens of one name', { tokens: [tokens[0], tokens[0]] as Token[] }],
  ['an origin with a path', { cors: ['https://admin.example/'] }],
  ['any origin', { cors: ['*'] }],
  ['a port that is none', { port: 70_000 }],
  ['a limit that is none', { limits: { tails: 0 } }],
  ['an option that nobody knows', { hots: '127.0.0.1' }],
])('the server does not start with %s', async (_, options) => {
  await using logs = await openLogs(memory())
  await expect(serve({ logs, port: 0, dashboard: false, ...options })).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
  })
})

/** The bare request: `fetch` sets what a browser sets, and lets nobody say it otherwise. */
function statusOf(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, headers }, (answer) => {
      resolve(answer.statusCode ?? 0)
      answer.destroy()
    })
    sent.on('error', reject)
    sent.end()
  })
}
