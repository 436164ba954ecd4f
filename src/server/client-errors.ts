/** What is no HTTP at all, or too much or too slow of it: answered on the bare socket, which is closed then. */
import type { ConnectionError } from 'fastify'
import type { Socket } from 'node:net'
import { failureOf, PROBLEM_TYPE } from './problem.ts'
import { RequestError } from './request-error.ts'

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

export function answerClientError({ code }: ConnectionError, socket: Socket): void {
  // Nobody is there any more, or an answer is on its way already.
  if (code === 'ECONNRESET' || socket.destroyed || !socket.writable || socket.bytesWritten > 0)
    return void socket.destroy()
  const { problem } = failureOf(asRequestError(code), '')
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${reasons[problem.status]}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'x-content-type-options: nosniff',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  socket.destroySoon()
}

function asRequestError(code: string | undefined): RequestError {
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new RequestError('HEADERS_TOO_LARGE', 'The headers are larger than this server takes.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new RequestError('REQUEST_TIMEOUT', 'The headers did not come in time.')
  return new RequestError('BAD_REQUEST', 'This is no HTTP request.')
}
