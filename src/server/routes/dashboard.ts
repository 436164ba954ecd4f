/** The dashboard: a page, its modules and styles. They hold no data; the page asks for that with its own token. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { loadDashboard, type Asset } from '../dashboard.ts'

/** Nothing runs, loads or is asked for that does not come from this server, and no other page may frame this one. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function registerDashboard(app: FastifyInstance): void {
  for (const [address, asset] of loadDashboard()) {
    app.get(address, { config: { scope: 'open' }, schema: { hide: true } }, (request, reply) =>
      sendAsset(asset, request, reply),
    )
  }
}

function sendAsset(asset: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply
    .type(asset.type)
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-cache')
    .header('vary', [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', '))
    .header('etag', asset.etag)
  if (matches(request.headers['if-none-match'], asset.etag)) return reply.code(304).send()
  if (!acceptsGzip(request.headers['accept-encoding'])) return reply.send(asset.body)
  return reply.header('content-encoding', 'gzip').send(asset.gzip)
}

function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}

function acceptsGzip(header: string | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(header ?? '')
}
