/** Whether the process lives, and whether it should be sent requests. */
import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../context.ts'
import { readySchema, text } from '../schemas.ts'

export function registerHealth(app: FastifyInstance, { readiness, metrics }: ServerContext): void {
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
