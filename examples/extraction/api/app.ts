/** The HTTP side put together. */
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Context } from './context.ts'
import { registerOperations } from './operations.ts'
import { ApiProblem, sendProblem } from './problem.ts'
import { registerProjects } from './projects.ts'
import { registerReading } from './reading.ts'
import { problem } from './schemas.ts'

const bodyBytes = 2 ** 20
const hosts = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/

export async function buildApp(context: Context): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: bodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: true,
        allowUnionTypes: true,
      },
    },
    frameworkErrors: (error, request, reply) => sendProblem(error, request as FastifyRequest, reply as never),
  })
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler(() => {
    throw new ApiProblem(404, 'NOT_FOUND', 'There is nothing at this path with this method.', {
      hint: 'See /openapi.json.',
    })
  })
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  app.addHook('onRequest', async ({ headers: { host } }) => {
    // A page of somebody else's whose name leads here asks under that name.
    if (!hosts.test(host ?? ''))
      throw new ApiProblem(400, 'BAD_REQUEST', 'This is not the name of this host.')
  })
  app.addHook('preValidation', async (request) => readTexts(request))
  app.addHook('onRoute', (route) => {
    if (route.schema === undefined || route.schema.hide === true) return
    const responses = route.schema.response as Record<string, unknown> | undefined
    route.schema = { ...route.schema, response: { ...responses, '4xx': problem, '5xx': problem } }
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Extraction', version: '1.0.0', description: 'Documents in, names and neighbours out.' },
    },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  registerProjects(app, context)
  registerReading(app, context)
  registerOperations(app, context)
  await app.ready()
  return app
}

/** Bodies are taken at their word; in a path and a query everything is text, so what should be a number is made one. */
function readTexts({ query, params, routeOptions: { schema } }: FastifyRequest): void {
  for (const [values, of] of [
    [query, schema?.querystring],
    [params, schema?.params],
  ] as const) {
    const { properties = {} } = (of ?? {}) as {
      readonly properties?: Record<string, { readonly type?: unknown }>
    }
    const texts = values as Record<string, unknown>
    for (const [name, { type }] of Object.entries(properties)) {
      const text = texts[name]
      if (type === 'integer' && typeof text === 'string' && /^-?\d{1,15}$/.test(text))
        texts[name] = Number(text)
      if (type === 'boolean' && (text === 'true' || text === 'false')) texts[name] = text === 'true'
    }
  }
}
