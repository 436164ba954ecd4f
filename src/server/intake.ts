/**
 * Takes a streamed body into the queue, block by block, in the order of its lines.
 *
 * Owns: the tally of one request. A line that is bad is counted, reported and kept as a dead letter, and never
 * fails its neighbours; a queue that stays full ends the request, and its answer says behind which line to go on.
 */
import type { LineBlock } from '../logs/lines.ts'
import { TidemarkError } from '../errors.ts'
import type { Position, Receipt } from '../index.ts'
import { PartialFailure, RequestError } from './request-error.ts'

export interface BadLine {
  readonly line: number
  readonly error: string
}

/** What a block came to. */
export interface AcceptedBlock {
  /** Of its rows and of what is kept of its bad lines, in their order. */
  readonly receipts: readonly Receipt[]
  readonly rows: number
  readonly bad: readonly BadLine[]
  /** Set when it could not be taken whole: why, and how many of its lines were. */
  readonly interrupted?: { readonly error: unknown; readonly lines: number }
}

export interface Intake {
  readonly accepted: number
  /** Lines dealt with, from the first: what a client need not send again. */
  readonly lines: number
  readonly bad: readonly BadLine[]
  readonly badCount: number
  readonly position?: Position
  readonly bookmark?: string
}

const reportedLines = 10
/** Receipts of a request that may be pending before its body is read further. */
const receiptsUnderWay = 16

export interface TakenIn {
  readonly intake: Intake
  /** Resolves with how many rows the database refused, when all are committed. */
  readonly committed: () => Promise<number>
}

/**
 * @param accept puts a block into the queue, waiting for room
 * @throws RequestError and TidemarkError, each with the tally so far
 */
export async function takeIn(
  blocks: AsyncIterable<LineBlock>,
  accept: (block: LineBlock) => Promise<AcceptedBlock>,
  isAwaited: boolean,
): Promise<TakenIn> {
  const tally = new Tally()
  const pending: Promise<number>[] = []
  let refused = 0
  try {
    for await (const block of blocks) {
      const taken = await accept(block)
      tally.add(taken, block.lines.length)
      if (taken.interrupted) throw taken.interrupted.error
      if (!isAwaited) continue
      for (const receipt of taken.receipts) pending.push(refusedOf(receipt))
      while (pending.length >= receiptsUnderWay) refused += (await pending.shift()) ?? 0
    }
  } catch (error) {
    for (const one of pending) one.catch(() => undefined)
    throw withTally(error, tally.intake)
  }
  return {
    intake: tally.intake,
    committed: async () => {
      const refusedLast = await Promise.all(pending)
      // Bad lines are dead letters of the same loads.
      return refusedLast.reduce((sum, count) => sum + count, refused) - tally.intake.badCount
    },
  }
}

async function refusedOf(receipt: Receipt): Promise<number> {
  const { rejected = 0 } = await receipt
  return rejected
}

class Tally {
  #accepted = 0
  #lines = 0
  #badCount = 0
  #last: Receipt | undefined
  readonly #bad: BadLine[] = []

  add({ receipts, rows, bad, interrupted }: AcceptedBlock, lines: number): void {
    this.#accepted += rows
    this.#lines += interrupted?.lines ?? lines
    this.#badCount += bad.length
    for (const { line, error } of bad) if (this.#bad.length < reportedLines) this.#bad.push({ line, error })
    this.#last = receipts.at(-1) ?? this.#last
  }

  get intake(): Intake {
    return {
      accepted: this.#accepted,
      lines: this.#lines,
      bad: this.#bad,
      badCount: this.#badCount,
      ...(this.#last === undefined ? {} : { position: this.#last.position, bookmark: this.#last.bookmark }),
    }
  }
}

function withTally(error: unknown, intake: Intake): unknown {
  return error instanceof RequestError || error instanceof TidemarkError
    ? new PartialFailure(error, intake)
    : error
}
