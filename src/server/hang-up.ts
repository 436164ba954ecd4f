/**
 * How an answer ends: it is out, or its client has gone.
 *
 * The response itself does not always tell: one that stands in line behind another on its connection never hears that
 * the connection is gone. So the connection is asked, which may be gone before anybody listens.
 */
import type { FastifyReply } from 'fastify'
import { RequestError } from './request-error.ts'

/** Runs `task` once: when the answer is out, or its connection is closed. */
export function onceOver(reply: FastifyReply, task: (isOut: boolean) => void): void {
  const response = reply.raw
  const { socket } = reply.request.raw
  const over = (isOut: boolean): void => {
    socket.off('close', closed)
    response.off('finish', finished)
    task(isOut)
  }
  const closed = (): void => over(false)
  const finished = (): void => over(true)
  if (socket.destroyed) return task(false)
  // A client may send many requests before it has read one answer.
  socket.setMaxListeners(0)
  socket.once('close', closed)
  response.once('finish', finished)
}

/** Aborts when the client hangs up before it has its answer. */
export function hangUpOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  onceOver(reply, (isOut) => {
    if (!isOut) controller.abort(new RequestError('BAD_REQUEST', 'The client has gone.'))
  })
  return controller.signal
}
