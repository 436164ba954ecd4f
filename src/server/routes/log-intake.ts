/** `POST /v1/logs`: lines of JSON as any logger writes them, or what an OpenTelemetry SDK exports. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseNdjson } from '../../logs/formats/ndjson.ts'
import type { LogRow } from '../../logs/index.ts'
import type { LineBlock } from '../../logs/lines.ts'
import { acceptWithin } from '../accepting.ts'
import { LINE_TYPES, StreamedLines } from '../bodies/lines.ts'
import { streamAnswer } from '../answers.ts'
import { askedBy } from '../consistency.ts'
import type { LogContext } from '../context.ts'
import { takeIn, type AcceptedBlock } from '../intake.ts'
import { asKept, type UnreadableLine } from '../unreadable.ts'
import { parseOtlp } from '../otlp.ts'
import { RequestError } from '../request-error.ts'
import { ackSchema, streamedSchema } from '../schemas.ts'

type Ack = 'accepted' | 'committed'

export function registerLogIntake(app: FastifyInstance, context: LogContext): void {
  app.post<{ Querystring: { ack?: Ack } }>(
    '/v1/logs',
    {
      config: { scope: 'write', lines: true },
      schema: {
        summary: 'Write logs: lines of JSON, or OTLP',
        description:
          'Lines stand alone: a bad one is reported and kept as a dead letter. OTLP is application/json, as the HTTP/JSON exporters of OpenTelemetry send it; its answer is that of the OTLP specification.',
        tags: ['logs'],
        consumes: ['application/json', ...LINE_TYPES],
        querystring: { type: 'object', additionalProperties: false, properties: { ack: ackSchema } },
        response: {
          200: {
            type: 'object',
            description: 'OTLP: what was not taken, if anything',
            properties: { partialSuccess: { type: 'object', additionalProperties: true } },
          },
          201: streamedSchema,
          202: streamedSchema,
        },
      },
    },
    (request, reply) =>
      request.body instanceof StreamedLines
        ? takeLines(request, reply, request.body, context, request.query.ack ?? 'accepted')
        : takeOtlp(request, reply, context, request.query.ack ?? 'committed'),
  )
}

async function takeLines(
  request: FastifyRequest,
  reply: FastifyReply,
  lines: StreamedLines,
  context: LogContext,
  ack: Ack,
): Promise<FastifyReply> {
  const { timeoutMs = context.limits.waitMs } = askedBy(request, context.limits.waitMs)
  const parse = blockParser(context.runtime.wallMs())
  const taken = await takeIn(lines.blocks(), (block) => accept(context, parse(block)), ack === 'committed')
  return await streamAnswer(reply, taken, ack, timeoutMs, context.runtime)
}

async function accept({ db, limits, logs, runtime }: LogContext, block: ParsedBlock): Promise<AcceptedBlock> {
  const { rows, bad } = block
  if (rows.length + bad.length === 0) return { receipts: [], rows: 0, bad }
  const { receipt } = await acceptWithin(db, limits, runtime, () => logs.storeRows(rows, bad.map(asKept)))
  return { receipts: [receipt], rows: rows.length, bad }
}

interface ParsedBlock {
  readonly rows: readonly LogRow[]
  readonly bad: readonly UnreadableLine[]
}

/** Lines without a time take that of the line before, and the first of them the time of the request. */
function blockParser(nowMs: number): (block: LineBlock) => ParsedBlock {
  const clock = { lastTs: Number.NaN, referenceMs: nowMs }
  return ({ lines, broken, firstLine }) => {
    const rows: LogRow[] = []
    const bad: UnreadableLine[] = []
    for (const [index, text] of lines.entries()) {
      const reason = broken?.get(index)
      if (reason === undefined && text.trim() === '') continue
      const parsed = reason ?? parseNdjson(text, clock)
      if (typeof parsed === 'string') bad.push({ line: firstLine + index, text, error: parsed })
      else rows.push(parsed)
    }
    return { rows, bad }
  }
}

async function takeOtlp(
  request: FastifyRequest,
  reply: FastifyReply,
  { db, logs, limits, runtime }: LogContext,
  ack: Ack,
): Promise<FastifyReply> {
  if (request.body === undefined) throw new RequestError('INVALID_BODY', 'There is no body.')
  const { timeoutMs = limits.waitMs } = askedBy(request, limits.waitMs)
  const { rows, rejected, firstError } = parseOtlp(request.body, runtime.wallMs())
  let refused = 0
  if (rows.length > 0) {
    // All of it in one call: an SDK that is told to come again sends all of it again.
    const { receipt } = await acceptWithin(db, limits, runtime, () => logs.storeRows(rows))
    reply.header('tidemark-bookmark', receipt.bookmark)
    if (ack === 'committed') refused = (await receipt.within(timeoutMs)).rejected ?? 0
  }
  if (rejected + refused === 0) return await reply.send({})
  const errorMessage = firstError ?? 'The database refused them; they are kept as dead letters.'
  return await reply.send({
    partialSuccess: { rejectedLogRecords: String(rejected + refused), errorMessage },
  })
}
