/** The watcher's port on the loopback: questions of the command line, and the page. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Asking, type AskOptions } from '../ask/ask.ts'
import { isLevel } from '../ask/level.ts'
import type { Vault } from '../pipeline/vault.ts'
import { Flow } from './flow.ts'

const page = new URL('../page/', import.meta.url)
const files: Readonly<Record<string, readonly [string, string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
}
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const longestWaitMs = 600_000

export interface Served extends AsyncDisposable {
  readonly port: number
  notice(text: string): void
  close(): Promise<void>
}

export async function serveVault(vault: Vault, port = 0): Promise<Served> {
  const flow = new Flow(vault)
  const asking = new Asking(vault)
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      send(response, 500, { problem: error instanceof Error ? error.message : String(error) })
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page of somebody else's whose name leads here asks under that name.
    if (!isLoopback(request.headers.host)) return send(response, 403, { problem: 'not this host' })
    if (request.method !== 'GET') return send(response, 405, { problem: 'only GET' })
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const file = files[pathname]
    if (file) {
      response.writeHead(200, { 'content-type': file[1], 'content-security-policy': policy })
      return void response.end(readFileSync(new URL(file[0], page)))
    }
    switch (pathname) {
      case '/favicon.ico':
        return void response.writeHead(204).end()
      case '/api/vault':
        return send(response, 200, { folder: vault.folder, pid: process.pid })
      case '/api/flow':
        return flow.stream(response)
      case '/api/status':
        return await ask(response, searchParams, 'path', (path, options) => asking.status(path, options))
      case '/api/search':
        return await ask(response, searchParams, 'words', (words, options) => asking.search(words, options))
      case '/api/related':
        return await ask(response, searchParams, 'path', (path, options) => asking.related(path, options))
      default:
        return send(response, 404, { problem: `there is no ${pathname}` })
    }
  }

  await listening(server, port)
  const close = async (): Promise<void> => {
    flow.close()
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
  return {
    port: (server.address() as AddressInfo).port,
    notice: (text) => flow.notice(text),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function ask(
  response: ServerResponse,
  given: URLSearchParams,
  name: string,
  question: (about: string, options: AskOptions) => Promise<object>,
): Promise<void> {
  const about = given.get(name)?.trim() ?? ''
  const consistency = given.get('consistency') ?? 'eventual'
  const timeoutMs = Number(given.get('timeoutMs') ?? 30_000)
  if (about === '') return send(response, 400, { problem: `\`${name}\` is missing` })
  if (!isLevel(consistency))
    return send(response, 400, { problem: 'consistency is eventual, readAfterWrite or strong' })
  if (!(timeoutMs >= 0 && timeoutMs <= longestWaitMs))
    return send(response, 400, { problem: `timeoutMs is a number up to ${longestWaitMs}` })
  send(response, 200, await question(about, { consistency, timeoutMs }))
}

function isLoopback(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '')
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return void response.end()
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

async function listening(server: Server, port: number): Promise<void> {
  const opened = Promise.withResolvers<void>()
  server.once('error', opened.reject)
  server.listen(port, '127.0.0.1', opened.resolve)
  await opened.promise
}
