/** Moves what a reader gives into a table, as fast as the database takes it. */
import { QueueFullError, unprefixed } from '../../errors.ts'
import type { Tidemark } from '../../tidemark.ts'
import { progressBar, type ProgressBar } from '../terminal/progress.ts'
import { InputError } from './input-error.ts'
import type { BadLine, EntryBlock, EntryReader } from './reader.ts'
import type { Source } from './source.ts'
import type { Table } from './target-table.ts'

export interface Loaded {
  readonly rows: number
  readonly bad: number
  readonly firstBad: BadLine | undefined
  /** Rows that the database refused; kept as dead letters, like bad lines. */
  readonly refused: number
  /** Why the source could not be read to its end. What was read before is in. */
  readonly failure: InputError | undefined
  readonly ms: number
  readonly longestTransactionMs: number
  readonly wasStopped: boolean
}

export interface Load {
  readonly table: Table
  /** The name that its checkpoints are kept under; undefined for a source that cannot be resumed. */
  readonly checkpoints: string | undefined
  readonly source: Source
  readonly reader: EntryReader
  /** Stops reading; what was read is committed. */
  readonly signal: AbortSignal
  /** Undefined: one of its own. */
  readonly bar?: ProgressBar | undefined
}

type Engine = Tidemark<Record<string, Record<string, unknown>>>

export async function load(db: Engine, given: Load): Promise<Loaded> {
  const { reader, source, signal } = given
  const startedMs = performance.now()
  const bar = given.bar ?? progressBar(source.name, source.size ?? undefined, process.stderr)
  // Before the drain: whoever ends the process during it shall find the terminal as it was.
  signal.addEventListener('abort', bar.stop, { once: true })
  tellOfStalls(db, bar)
  let rows = 0
  let bad = 0
  let firstBad: BadLine | undefined
  let failure: InputError | undefined
  try {
    for await (const block of untilStopped(reader.blocks, signal)) {
      await write(db, given, source.name, block)
      rows += block.rows.length
      bad += block.bad.length
      firstBad ??= block.bad[0]
      const stats = db.stats()
      bar.update(source.bytesRead(), {
        rows,
        rowsPerSecond: (rows / (performance.now() - startedMs)) * 1_000,
        queued: stats.queued.operations,
        longestTransactionMs: stats.transactions.longestMs,
      })
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    failure = error
  } finally {
    bar.stop()
    signal.removeEventListener('abort', bar.stop)
  }
  await db.flush()
  const { rejected, transactions } = db.stats()
  const refused = rejected - bad
  return {
    rows: rows - refused,
    bad,
    firstBad,
    refused,
    failure,
    ms: performance.now() - startedMs,
    longestTransactionMs: transactions.longestMs,
    wasStopped: signal.aborted,
  }
}

/** The blocks until the reading is stopped, also while it waits for a pipe that says nothing. */
async function* untilStopped(
  blocks: AsyncIterable<EntryBlock>,
  signal: AbortSignal,
): AsyncGenerator<EntryBlock, void, undefined> {
  const iterator = blocks[Symbol.asyncIterator]()
  let wake = (): void => undefined
  const stop = (): void => wake()
  signal.addEventListener('abort', stop, { once: true })
  try {
    while (!signal.aborted) {
      const next = await new Promise<IteratorResult<EntryBlock, unknown>>((resolve, reject) => {
        wake = () => resolve({ done: true, value: undefined })
        iterator.next().then(resolve, reject)
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Waits for room; a block that does not fit an empty queue is an error of its own. */
async function write(
  db: Engine,
  { table, checkpoints }: Pick<Load, 'table' | 'checkpoints'>,
  name: string,
  block: EntryBlock,
): Promise<void> {
  const unreadable = block.bad.map(({ line, text, error }) => ({
    text,
    error: `${name}, line ${line}: ${error}`,
  }))
  const checkpoint =
    checkpoints === undefined || block.checkpoint === null
      ? {}
      : { checkpoint: { source: checkpoints, value: block.checkpoint } }
  const rows = table.fit === undefined ? block.rows : block.rows.map(table.fit)
  for (;;) {
    try {
      db.insertMany(table.name, rows, { atomic: false, unreadable, ...checkpoint })
      return
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      await db.ready()
    }
  }
}

/** A database that is locked or full is waited for, and whoever looks on should know. */
function tellOfStalls(db: Engine, bar: ProgressBar): void {
  let reason = ''
  db.on('retry', ({ error }) => {
    reason = `; ${unprefixed(error.message)}. ${error.hint ?? ''}`
  })
  db.on('alert', ({ kind, message }) => {
    if (kind === 'stalled') bar.say(`tidemark: ${message}${reason}`)
  })
}
