/** Which kinds of body there are, and what each becomes before a route sees it. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { ServerContext } from '../context.ts'
import { RequestError } from '../request-error.ts'
import { withExactIntegers } from './exact-json.ts'
import { readText } from './json.ts'
import { LINE_TYPES, StreamedLines } from './lines.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Integers beyond 2^53 become bigints. */
    readonly exactIntegers?: boolean
    /** The route reads bodies of lines. */
    readonly lines?: boolean
  }
}

export function registerBodies(app: FastifyInstance, { limits, runtime }: ServerContext): void {
  // It refuses names that would reach into prototypes, wherever they stand.
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()

  app.addContentTypeParser('application/json', async (request: FastifyRequest, body: IncomingMessage) => {
    const text = await readText(body, limits, runtime)
    const parsed = await new Promise<unknown>((resolve, reject) => {
      void parse(request, text, (error, value: unknown) => {
        if (error)
          reject(new RequestError('BAD_REQUEST', text === '' ? 'There is no body.' : 'The body is not JSON.'))
        else resolve(value)
      })
    })
    return request.routeOptions.config.exactIntegers ? withExactIntegers(text, parsed) : parsed
  })

  app.addContentTypeParser([...LINE_TYPES], async (request: FastifyRequest, body: IncomingMessage) => {
    if (request.routeOptions.config.lines) return new StreamedLines(body, limits, runtime)
    throw new RequestError('UNSUPPORTED_MEDIA_TYPE', 'This route takes application/json.')
  })

  app.addContentTypeParser(['application/x-protobuf', 'application/protobuf'], async () => {
    throw new RequestError('UNSUPPORTED_MEDIA_TYPE', 'This server does not read Protobuf.', {
      hint: 'Set the exporter to JSON: OTEL_EXPORTER_OTLP_PROTOCOL=http/json.',
    })
  })
}
