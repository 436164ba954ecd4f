/** Rows of a table as lines of JSON, each on its own: a bad one is reported and kept, and its neighbours are written. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { InvalidOperationError, TidemarkError, unprefixed } from '../errors.ts'
import type { Receipt } from '../index.ts'
import type { LineBlock } from '../logs/lines.ts'
import { acceptWithin, type Accepted } from './accepting.ts'
import { streamAnswer } from './answers.ts'
import { withExactIntegers } from './bodies/exact-json.ts'
import type { StreamedLines } from './bodies/lines.ts'
import { askedBy } from './consistency.ts'
import type { Engine, ServerContext } from './context.ts'
import { takeIn, type AcceptedBlock } from './intake.ts'
import { RequestError } from './request-error.ts'
import { rowOf, type Row } from './row-values.ts'
import type { WriteRoute } from './row-write.ts'
import { asKept, type UnreadableLine } from './unreadable.ts'

interface RowLine {
  readonly line: number
  readonly text: string
  readonly row: Row
}

export async function takeRowLines(
  request: FastifyRequest<WriteRoute>,
  reply: FastifyReply,
  lines: StreamedLines,
  context: ServerContext,
): Promise<FastifyReply> {
  const { db, limits, runtime, tables } = context
  const { table } = request.params
  const { timeoutMs = limits.waitMs } = askedBy(request, limits.waitMs)
  const ack = request.query.ack ?? 'committed'
  await tables.known(async () => requireTable(db, table))
  const taken = await takeIn(lines.blocks(), (block) => accept(context, table, block), ack === 'committed')
  return await streamAnswer(reply, taken, ack, timeoutMs, runtime)
}

/** An unknown table would make every line bad. */
function requireTable(db: Engine, table: string): void {
  try {
    db.pending(table, {})
  } catch (error) {
    if (error instanceof TidemarkError && error.code !== 'MISSING_KEY') throw error
  }
}

async function accept(context: ServerContext, table: string, block: LineBlock): Promise<AcceptedBlock> {
  const rows: RowLine[] = []
  const unreadable: UnreadableLine[] = []
  for (const [index, text] of block.lines.entries()) {
    const line = block.firstLine + index
    const reason = block.broken?.get(index)
    if (reason === undefined && text.trim() === '') continue
    const row = reason ?? parseRow(text)
    if (typeof row === 'string') unreadable.push({ line, text, error: row })
    else rows.push({ line, text, row })
  }
  const { refused, ...taken } = await acceptRows(context, table, rows, unreadable, block.firstLine)
  const bad = [...unreadable, ...refused].toSorted((one, other) => one.line - other.line)
  return { ...taken, bad }
}

interface TakenRows extends Omit<AcceptedBlock, 'bad'> {
  readonly refused: readonly UnreadableLine[]
}

/** All rows in one call, with what could not be read; or one by one, where the engine refuses one of them. */
async function acceptRows(
  { db, limits, runtime }: ServerContext,
  table: string,
  lines: readonly RowLine[],
  unreadable: readonly UnreadableLine[],
  firstLine: number,
): Promise<TakenRows> {
  const insert = (rows: readonly Row[], letters: readonly UnreadableLine[]): Promise<Accepted> => {
    const options = { atomic: false, unreadable: letters.map(asKept) }
    return acceptWithin(db, limits, runtime, () => db.insertMany(table, rows, options))
  }
  if (lines.length + unreadable.length === 0) return { receipts: [], rows: 0, refused: [] }
  try {
    const all = lines.map(({ row }) => row)
    const { receipt } = await insert(all, unreadable)
    return { receipts: [receipt], rows: lines.length, refused: [] }
  } catch (error) {
    if (!(error instanceof InvalidOperationError)) throw error
  }
  const receipts: Receipt[] = []
  const refused: UnreadableLine[] = []
  const interrupted = (error: unknown, done: number): TakenRows => ({
    receipts,
    rows: receipts.length,
    refused,
    interrupted: { error, lines: done },
  })
  for (const { line, text, row } of lines) {
    try {
      receipts.push((await insert([row], [])).receipt)
    } catch (error) {
      if (!(error instanceof InvalidOperationError)) return interrupted(error, line - firstLine)
      refused.push({ line, text, error: reasonOf(error) })
    }
  }
  const last = (lines.at(-1)?.line ?? firstLine) - firstLine + 1
  try {
    const { receipt } = await insert([], [...unreadable, ...refused])
    return { receipts: [...receipts, receipt], rows: receipts.length, refused }
  } catch (error) {
    // They are told of all the same, and the rows are in the queue: none of these lines should come again.
    return interrupted(error, last)
  }
}

function parseRow(text: string): Row | string {
  try {
    return rowOf(withExactIntegers(text, JSON.parse(text)))
  } catch (error) {
    if (error instanceof RequestError) return error.message
    return `not JSON: ${error instanceof Error ? error.message : String(error)}`
  }
}

function reasonOf(error: InvalidOperationError): string {
  return unprefixed(error.message).replace(/ Nothing was queued\.$/, '')
}
