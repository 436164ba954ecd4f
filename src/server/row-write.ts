/** One write of a request: accepted as soon as there is room, and answered when it is as safe as was asked. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ReceiptTimeoutError } from '../errors.ts'
import type { Receipt, Session } from '../index.ts'
import { acceptWithin } from './accepting.ts'
import { askedBy } from './consistency.ts'
import { hangUpOf } from './hang-up.ts'
import type { Engine, ServerContext } from './context.ts'
import { PartialFailure } from './request-error.ts'

export type Ack = 'accepted' | 'committed'

export interface WriteRoute {
  Params: { readonly table: string }
  Querystring: { readonly ack?: Ack }
  Body: unknown
}

type Client = Engine | Session<Record<string, Record<string, unknown>>>

/**
 * @param status when it is committed
 * @param make accepts it; is called again while the queue is full
 */
export async function answerWrite(
  request: FastifyRequest<WriteRoute>,
  reply: FastifyReply,
  { db, limits, runtime, tables }: ServerContext,
  status: 200 | 201,
  make: (client: Client) => Receipt,
): Promise<FastifyReply> {
  const { bookmarks, timeoutMs = limits.waitMs } = askedBy(request, limits.waitMs)
  const ack = request.query.ack ?? 'committed'
  if (bookmarks.length === 0) {
    const { receipt } = await tables.known(() => acceptWithin(db, limits, runtime, () => make(db)))
    return await answer(reply, receipt, receipt.bookmark, ack, status, timeoutMs)
  }
  // What the client has seen of other engines stands before its write.
  const session = db.session(bookmarks)
  await session.caughtUp({ timeoutMs, signal: hangUpOf(reply) })
  const { receipt } = await tables.known(() => acceptWithin(db, limits, runtime, () => make(session)))
  return await answer(reply, receipt, session.bookmark, ack, status, timeoutMs)
}

async function answer(
  reply: FastifyReply,
  receipt: Receipt,
  bookmark: string,
  ack: Ack,
  status: 200 | 201,
  timeoutMs: number,
): Promise<FastifyReply> {
  const { position } = receipt
  reply.header('tidemark-bookmark', bookmark)
  if (ack === 'accepted') return await reply.code(202).send({ position, bookmark })
  try {
    const { id, changes } = await receipt.within(timeoutMs)
    return await reply.code(status).send({ position, id, changes, bookmark })
  } catch (error) {
    throw error instanceof ReceiptTimeoutError ? new PartialFailure(error, { position, bookmark }) : error
  }
}
