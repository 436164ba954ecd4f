/** Whether the process lives, and whether it should be sent requests. */
import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../context.ts'
import { problemsOf } from '../problems.ts'
import { healthSchema, readySchema, text } from '../schemas.ts'

/** How long a health check waits for the database before it tells what was seen last. */
const lookMs = 1_000

export function registerHealth(app: FastifyInstance, context: ServerContext): void {
  const { readiness, metrics, effects } = context
  app.route({
    method: ['GET', 'HEAD'],
    url: '/healthz',
    config: { scope: 'open' },
    schema: { summary: 'The process lives', tags: ['health'], response: { 200: text('ok') } },
    handler: (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'),
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/readyz',
    config: { scope: 'open' },
    schema: {
      summary: 'Writes can be sent here',
      description: '503, with the reasons, while the engine has stopped, commits nothing, or is ending.',
      tags: ['health'],
      response: { 200: readySchema, 503: readySchema },
    },
    handler: (_request, reply) => {
      const reasons = readiness.reasons()
      return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons })
    },
  })

  app.get(
    '/v1/health',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What somebody should look into',
        description:
          '503 while anything is red: the engine, or effects that are late, orphaned or dead, or whose target is down. For people who are on call; whether to send requests here is told by /readyz.',
        tags: ['health'],
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      await effects.look(lookMs)
      const problems = problemsOf(context)
      const status = problems[0]?.level ?? 'ok'
      return await reply.code(status === 'red' ? 503 : 200).send({ status, problems })
    },
  )

  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Metrics for Prometheus',
        tags: ['health'],
        response: { 200: text('Prometheus text') },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}
