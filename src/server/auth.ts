/**
 * Who may call what, decided before a body is read.
 *
 * Owns: the one hook that every request of every route passes. Each route says which scope it needs; one that does
 * not say it keeps the server from starting. With tokens, a request without a good one gets nowhere. Without tokens
 * the server trusts this machine, and so refuses what only looks as if it came from it: a page of another site in
 * the user's browser (Origin, Sec-Fetch-Site), also under a name that somebody made lead here (Host).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { isLoopback } from './options.ts'
import { RequestError } from './request-error.ts'
import type { Scope, Tokens } from './tokens.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `open`: tells nothing that is not for everybody. */
    readonly scope?: Scope | 'open'
  }
}

const exposedHeaders = 'Tidemark-Bookmark, Retry-After'
const allowedHeaders =
  'Authorization, Content-Type, Content-Encoding, Last-Event-ID, Tidemark-Bookmark, Tidemark-Consistency, Tidemark-Timeout-Ms'

export interface Guard {
  readonly tokens: Tokens
  readonly origins: readonly string[]
}

export function registerGuard(app: FastifyInstance, { tokens, origins }: Guard): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  // When all are there: whoever registers some of them may still say it for them.
  app.addHook('onReady', async () => {
    for (const { method, url, config } of routes)
      if (config?.scope === undefined)
        throw new Error(`${String(method)} ${url} does not say which scope it needs`)
  })
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    const isAllowed = origin !== undefined && origins.includes(origin)
    if (origins.length > 0) reply.header('vary', 'Origin')
    if (isAllowed) {
      reply.header('access-control-allow-origin', origin)
      reply.header('access-control-expose-headers', exposedHeaders)
    }
    if (isPreflight(request)) return await answerPreflight(reply, isAllowed)
    // A path that leads nowhere is nobody's secret, but which ones do is not for everybody.
    const scope = request.routeOptions.config.scope ?? (tokens.isOpen ? 'open' : 'read')
    if (tokens.isOpen) requireOwnPage(request, scope, isAllowed)
    else if (scope !== 'open') requireScope(request, tokens, scope)
  })
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers
}

async function answerPreflight(reply: FastifyReply, isAllowed: boolean): Promise<FastifyReply> {
  if (!isAllowed) throw new RequestError('FORBIDDEN', 'Pages of this origin may not call this server.')
  return await reply
    .code(204)
    .header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE')
    .header('access-control-allow-headers', allowedHeaders)
    .header('access-control-max-age', '600')
    .send()
}

function requireScope({ headers }: FastifyRequest, tokens: Tokens, scope: Scope): void {
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(headers.authorization ?? '')?.[1]
  const caller = token === undefined ? undefined : tokens.find(token)
  if (caller === undefined) {
    const detail =
      token === undefined ? 'This server wants a token.' : 'This server does not know this token.'
    const challenge = token === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    throw new RequestError('UNAUTHORIZED', detail, {
      hint: 'Send it as `Authorization: Bearer TOKEN`.',
      headers: { 'www-authenticate': challenge },
    })
  }
  if (!caller.scopes.includes(scope)) {
    throw new RequestError(
      'FORBIDDEN',
      `The token called ${JSON.stringify(caller.name)} has no scope "${scope}".`,
      {
        headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
      },
    )
  }
}

function requireOwnPage(
  { headers, method }: FastifyRequest,
  scope: Scope | 'open',
  isAllowed: boolean,
): void {
  if (!isLoopback(nameOf(headers.host ?? ''))) {
    throw new RequestError(
      'FORBIDDEN',
      'Without tokens this server answers to the names of this machine only.',
      {
        hint: 'Call it as 127.0.0.1 or localhost, or start it with tokens.',
      },
    )
  }
  if (isAllowed) return
  // To follow a link to the dashboard shows it to the user, not to the page with the link.
  if (scope === 'open' && method === 'GET' && headers['sec-fetch-mode'] === 'navigate') return
  const site = headers['sec-fetch-site']
  const isForeign =
    (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none')
  if (isForeign) {
    throw new RequestError('FORBIDDEN', 'Pages of other sites may not call this server.', {
      hint: 'Allow an origin with --cors, or start the server with tokens.',
    })
  }
}

/** The host of a Host header, without its port. */
function nameOf(host: string): string {
  return host.replace(/:\d{1,5}$/, '')
}
