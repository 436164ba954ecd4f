/** The routes of logs where there is no log store: they say so, and are no part of what is offered. */
import type { FastifyInstance } from 'fastify'
import { NotSupportedError } from '../../errors.ts'
import type { Scope } from '../tokens.ts'

const routes: readonly (readonly ['GET' | 'POST', string, Scope])[] = [
  ['POST', '/v1/logs', 'write'],
  ['GET', '/v1/logs/search', 'read'],
  ['GET', '/v1/logs/recent', 'read'],
  ['GET', '/v1/logs/tail', 'read'],
  ['POST', '/v1/logs/cleanup', 'admin'],
]

export function registerWithoutLogs(app: FastifyInstance): void {
  for (const [method, url, scope] of routes)
    app.route({
      method,
      url,
      config: { scope },
      schema: { hide: true },
      // Before its body is looked at.
      onRequest: async () => {
        throw new NotSupportedError(
          'there is no log store here: logs need SQLite.',
          'Write rows of a table: POST /v1/tables/{table}/rows.',
        )
      },
      handler: () => undefined,
    })
}
