/** What a write is answered, and how long the answer waits for its commit. */
import type { FastifyReply } from 'fastify'
import type { Runtime } from '../contracts/runtime.ts'
import { ReceiptTimeoutError } from '../errors.ts'
import type { TakenIn } from './intake.ts'
import { PartialFailure, RequestError } from './request-error.ts'

/** 202 with the tally, or 201 with what the database made of it. */
export async function streamAnswer(
  reply: FastifyReply,
  { intake, committed }: TakenIn,
  ack: 'accepted' | 'committed',
  timeoutMs: number,
  runtime: Runtime,
): Promise<FastifyReply> {
  if (intake.accepted === 0 && intake.badCount > 0) {
    const isOne = intake.badCount === 1
    const message = isOne
      ? 'The one line of the body is bad.'
      : `All ${intake.badCount} lines of the body are bad.`
    throw new PartialFailure(new RequestError('INVALID_BODY', message), intake)
  }
  if (intake.bookmark !== undefined) reply.header('tidemark-bookmark', intake.bookmark)
  if (ack === 'accepted') return await reply.code(202).send(intake)
  const rejected = await inTime(committed(), timeoutMs, runtime).catch((error: unknown) => {
    throw error instanceof ReceiptTimeoutError ? new PartialFailure(error, intake) : error
  })
  return await reply.code(201).send({ ...intake, rejected })
}

async function inTime(committed: Promise<number>, timeoutMs: number, runtime: Runtime): Promise<number> {
  const late = Promise.withResolvers<never>()
  const timer = runtime.after(timeoutMs, () =>
    late.reject(new ReceiptTimeoutError(`not everything was committed after ${timeoutMs} ms.`)),
  )
  committed.catch(() => undefined)
  try {
    return await Promise.race([committed, late.promise])
  } finally {
    timer.cancel()
  }
}
