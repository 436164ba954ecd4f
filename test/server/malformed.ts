/**
 * Thousands of requests that no client should send, from a seed, and what a server must be like afterwards. Knows
 * nothing of a test runner: `npm run fuzz` uses it too.
 */
import { Random } from '../../src/testing/simulation/random.ts'
import { body, chunked, contentType, headers, nearlyGood, path, query, requestLines } from './hostile.ts'
import { RawClient } from './raw.ts'

export interface Route {
  readonly method: string
  readonly path: string
}

export interface Bombardment {
  readonly url: string
  readonly seed: number
  readonly count: number
  /** Connections at once. */
  readonly concurrency: number
  /** What no answer may hold. */
  readonly secrets: readonly string[]
  readonly onProgress?: (done: number) => void
}

export interface Verdict {
  /** How often each status came; 0 for connections that were closed without one. */
  readonly statuses: Readonly<Record<number, number>>
  /** What should not have been, with the number of the request that brought it about. */
  readonly violations: readonly string[]
}

const maxViolations = 20

/** Each request depends on the seed and its own number alone, so that one of them can be sent again. */
export async function bombard({
  url,
  seed,
  count,
  concurrency,
  secrets,
  onProgress,
}: Bombardment): Promise<Verdict> {
  const routes = await routesOf(url)
  const statuses: Record<number, number> = {}
  const violations: string[] = []
  let next = 0
  const sendAll = async (): Promise<void> => {
    while (next < count && violations.length < maxViolations) {
      const index = next++
      const request = requestOf(new Random(seed * 1_000_003 + index), routes)
      const client = await deliver(url, request)
      const seen = client.statuses
      for (const status of seen.length === 0 ? [0] : seen) statuses[status] = (statuses[status] ?? 0) + 1
      const problem = problemOf(client, seen, secrets)
      if (problem !== undefined)
        violations.push(
          `request ${index}: ${problem}\n${JSON.stringify(request.bytes.toString('latin1').slice(0, 500))}`,
        )
      onProgress?.(index + 1)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, sendAll))
  return { statuses, violations }
}

async function routesOf(url: string): Promise<Route[]> {
  const answer = await fetch(`${url}/openapi.json`, { headers: { connection: 'close' } })
  const { paths } = (await answer.json()) as { readonly paths: Record<string, Record<string, unknown>> }
  return Object.entries(paths).flatMap(([route, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: route })),
  )
}

interface HostileRequest {
  readonly bytes: Buffer
  /** It is whole, and asks for the connection to be closed behind its answer: the client waits for that. */
  readonly isWhole?: boolean
  /** The client is gone before it has said all. */
  readonly isCut?: boolean
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

function requestOf(random: Random, routes: readonly Route[]): HostileRequest {
  if (random.chance(0.25)) return { bytes: plainRequest(random, random.pick(routes)), isWhole: true }
  const requests = random.chance(0.05) ? 1 + random.below(4) : 1
  const bytes = Buffer.concat(Array.from({ length: requests }, () => oneRequest(random, random.pick(routes))))
  const isCut = random.chance(0.1)
  return { bytes: isCut ? bytes.subarray(0, random.below(bytes.length)) : bytes, isCut }
}

/** Nothing of it is wrong but perhaps its body: such requests get furthest. */
function plainRequest(random: Random, { method, path: template }: Route): Buffer {
  const { bytes, type } = nearlyGood(random, template)
  const lines = [
    `${method} ${template.replaceAll(/\{\w+\}/g, 'notes')} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: close',
    `Content-Type: ${type}`,
    `Content-Length: ${bytes.length}`,
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes])
}

function oneRequest(random: Random, route: Route): Buffer {
  const method = random.chance(0.85) ? route.method : random.pick(methods)
  const line = random.chance(0.05)
    ? random.pick(requestLines)
    : `${method} ${path(random, route.path)}${query(random)} HTTP/1.1`
  const host = random.chance(0.95)
    ? ['Host: 127.0.0.1']
    : random.pick([[], ['Host:'], ['Host: a', 'Host: b'], ['Host: evil.example']])
  const lines = [line, ...host, ...headers(random)]
  if (random.chance(0.5)) lines.push('Connection: close')
  if (method === 'GET' && random.chance(0.9)) return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  const { bytes, type } = body(random)
  lines.push(`Content-Type: ${random.chance(0.6) ? type : contentType(random)}`)
  const isChunked = random.chance(0.2)
  lines.push(
    isChunked
      ? 'Transfer-Encoding: chunked'
      : `Content-Length: ${random.chance(0.95) ? bytes.length : random.below(500)}`,
  )
  const end = random.pick(['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n'])
  return Buffer.concat([
    Buffer.from(`${lines.join(end)}${end}${end}`, 'latin1'),
    isChunked ? chunked(random, bytes) : bytes,
  ])
}

/** Sends it, says that nothing more will come where it may be half, and waits until the server has closed. */
async function deliver(url: string, { bytes, isWhole, isCut }: HostileRequest): Promise<RawClient> {
  const client = new RawClient(url)
  // A tail goes on as long as its client is there.
  client.socket.on('data', () => {
    if (client.text.includes('text/event-stream')) client.socket.destroy()
  })
  if (isWhole) client.send(bytes)
  else client.socket.end(bytes, () => isCut && client.socket.destroy())
  await client.closed
  return client
}

function problemOf(
  { text }: RawClient,
  statuses: readonly number[],
  secrets: readonly string[],
): string | undefined {
  const bad = statuses.find((status) => status >= 500 && status !== 503)
  if (bad !== undefined) return `it was answered with ${bad}: ${text.slice(-600)}`
  const secret = secrets.find((one) => text.includes(one))
  if (secret !== undefined) return `the answer holds ${secret}`
  if (/^\s+at .+:\d+:\d+/m.test(text)) return 'the answer holds a stack'
  return undefined
}
