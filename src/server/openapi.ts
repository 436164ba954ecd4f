/** `/openapi.json`: every route, from the same schemas that its requests are checked with. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { problemSchema } from './schemas.ts'
import { VERSION } from './version.ts'

export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    const { schema, config } = route
    if (!schema || schema.hide === true) return
    const responses = {
      ...(schema.response as Record<string, unknown> | undefined),
      '4xx': problemSchema,
      '5xx': problemSchema,
    }
    route.schema = {
      ...schema,
      response: responses,
      security: config?.scope === 'open' ? [] : [{ token: [] }],
      description: [schema.description, config?.scope === 'open' ? undefined : `Scope: ${config?.scope}.`]
        .filter((part) => part !== undefined)
        .join(' '),
    }
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tidemark', version: VERSION, description: 'Fast writes, honest reads, over HTTP.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
  })
  app.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, async () => app.swagger())
}
