/**
 * The HTTP side put together: what every request passes, and the routes.
 *
 *   socket ─▶ limits of node:http ─▶ guard (who, from where) ─▶ draining? ─▶ body ─▶ schema ─▶ route ─▶ answer
 *                  └──────────────────────┴──────────────────────┴────┴─────────┴──────┴─▶ problem document
 */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { registerGuard, type Guard } from './auth.ts'
import { registerBodies } from './bodies/parsers.ts'
import { answerClientError } from './client-errors.ts'
import type { ServerContext } from './context.ts'
import { registerOpenApi } from './openapi.ts'
import type { Incident } from './options.ts'
import { failureOf, PROBLEM_TYPE } from './problem.ts'
import { convertIntegers, requirePercentEncoding } from './query-string.ts'
import { RequestError } from './request-error.ts'
import { Routes } from './route-list.ts'
import { registerDashboard } from './routes/dashboard.ts'
import { registerDeadLetters } from './routes/dead-letters.ts'
import { registerEffectMending } from './routes/effect-mending.ts'
import { registerEffects } from './routes/effects.ts'
import { registerHealth } from './routes/health.ts'
import { registerLogIntake } from './routes/log-intake.ts'
import { registerLogs } from './routes/logs.ts'
import { registerQuery } from './routes/query.ts'
import { registerRows } from './routes/rows.ts'
import { registerStats } from './routes/stats.ts'
import { registerTail } from './routes/tail.ts'
import { registerWithoutLogs } from './routes/without-logs.ts'
import { registerSecurityHeaders } from './security-headers.ts'

export interface AppOptions {
  readonly guard: Guard
  readonly dashboard: boolean
  readonly onError: (error: unknown, where: Incident) => void
}

/** How long a client may go on sending what nobody reads any more, before its connection is cut. */
const lingerMs = 5_000
/** How long a connection between two requests is kept. */
const keepAliveMs = 5_000
const maxTableName = 600

export async function buildApp(context: ServerContext, options: AppOptions): Promise<FastifyInstance> {
  const { limits } = context
  const app = fastify({
    logger: false,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    },
    // Bodies have limits of their own: one that streams may take as long as it likes, as long as it comes.
    requestTimeout: 0,
    // Whoever takes nothing of an answer, or sends nothing, for so long is let go; tails send now and then.
    connectionTimeout: 2 * Math.max(limits.waitMs, limits.idleMs),
    keepAliveTimeout: keepAliveMs,
    bodyLimit: limits.bodyBytes,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: maxTableName },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: true,
        allowUnionTypes: true,
      },
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => fail(error, request as FastifyRequest, reply as FastifyReply),
  })
  app.server.maxConnections = limits.connections
  const routes = new Routes(app)

  function fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const id = context.runtime.uniqueId()
    const failure = failureOf(error, id)
    if (failure.isOurs)
      options.onError(error, { id, method: request.method, route: request.routeOptions.url ?? '' })
    // An answer that was begun as something else cannot be taken back.
    if (reply.raw.headersSent) return void reply.raw.destroy()
    void reply.code(failure.problem.status).headers(failure.headers).type(PROBLEM_TYPE).send(failure.problem)
  }

  app.setErrorHandler((error, request, reply) => fail(error, request, reply))
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  app.setNotFoundHandler((request) => {
    const methods = routes.methodsOf(request.url)
    if (methods.length === 0)
      throw new RequestError('NOT_FOUND', 'There is nothing at this path.', { hint: 'See /openapi.json.' })
    throw new RequestError('METHOD_NOT_ALLOWED', `This path takes ${methods.join(', ')}.`, {
      headers: { allow: methods.join(', ') },
    })
  })

  registerSecurityHeaders(app)
  registerGuard(app, options.guard)
  registerBodies(app, context)
  app.addHook('onRequest', async (request, reply) => {
    requirePercentEncoding(request.url)
    if (!context.readiness.isDraining) return
    reply.header('connection', 'close')
    if (request.routeOptions.config.scope !== 'open')
      throw new RequestError('DRAINING', 'The server is ending and takes no more requests.', {
        retryAfterMs: 5_000,
      })
  })
  app.addHook('preValidation', async (request) => convertIntegers(request))
  app.addHook('onResponse', async (request, reply) => {
    context.metrics.answered(
      request.method,
      request.routeOptions.url ?? 'none',
      reply.statusCode,
      reply.elapsedTime,
    )
    if (!request.raw.complete) cutLater(request)
  })

  await registerOpenApi(app)
  for (const register of [
    registerHealth,
    registerStats,
    registerRows,
    registerQuery,
    registerDeadLetters,
    registerEffects,
    registerEffectMending,
  ])
    register(app, context)
  const { logs } = context
  if (logs === undefined) registerWithoutLogs(app)
  else
    for (const register of [registerLogIntake, registerLogs, registerTail])
      register(app, { ...context, logs })
  if (options.dashboard) registerDashboard(app)
  await app.ready()
  return app

  /** The answer is out and the body is not in: what is left of it is passed over, for a while. */
  function cutLater({ raw }: FastifyRequest): void {
    const { socket } = raw
    const timer = context.runtime.after(lingerMs, () => socket.destroy(), 'background')
    raw.once('close', () => timer.cancel())
  }
}
