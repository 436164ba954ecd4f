/**
 * Ingests one source: its rows, its bad lines and how far it was read go into the database together, block by
 * block, so that it can be stopped anywhere and run again: no line twice, none missing.
 */
import { QueueFullError } from '../../errors.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { open, type Tidemark } from '../../tidemark.ts'
import { progressBar } from '../terminal/progress.ts'
import { CommandError, EXIT } from '../failure.ts'
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts'
import type { FormatName } from './formats/format.ts'
import { readEntries, type BadLine, type EntryBlock, type EntryReader } from './reader.ts'
import { lockSource } from './source-lock.ts'
import type { Source } from './source.ts'
import { findColumns, prepareTable } from './target-table.ts'
import type { Detection } from './formats/detect.ts'

export interface IngestSettings {
  readonly database: string
  /** Undefined: `logs`, or for CSV a table named after the file. */
  readonly table: string | undefined
  readonly format: FormatName | 'auto'
}

export interface IngestReport {
  readonly table: string
  readonly format: FormatName
  readonly detection: Detection | null
  /** The line before which this run began: 0 unless it went on. */
  readonly fromLine: number
  /** Why an earlier checkpoint was not used. */
  readonly restartReason: string | undefined
  readonly isResumable: boolean
  readonly rows: number
  readonly bad: number
  readonly firstBad: BadLine | undefined
  /** Rows that the database refused; kept as dead letters, like bad lines. */
  readonly refused: number
  readonly incomplete: BadLine | null
  readonly ms: number
  readonly longestTransactionMs: number
  readonly wasStopped: boolean
}

type Engine = Tidemark<Record<string, Record<string, unknown>>>

/** @param signal stops reading; what was read is committed */
export async function ingestSource(
  source: Source,
  settings: IngestSettings,
  signal: AbortSignal,
): Promise<IngestReport> {
  if (source.key === null) return await ingestUnlocked(source, settings, signal)
  const lock = lockSource(settings.database, source.key, source.name)
  try {
    return await ingestUnlocked(source, settings, signal)
  } finally {
    lock.release()
  }
}

async function ingestUnlocked(
  source: Source,
  settings: IngestSettings,
  signal: AbortSignal,
): Promise<IngestReport> {
  const csvTable = tableNameOf(source.name)
  const probedColumns = findColumns(settings.database, settings.table ?? csvTable)

  // The engine's name is the source's: whoever opens it next fences this run and reads its last checkpoint.
  const db = await open(
    sqlite(settings.database),
    source.key === null ? {} : { writer: `ingest ${source.key}` },
  )
  try {
    const { from, restartReason } = await findStart(db, source)
    const reader = readEntries(source, {
      format: settings.format,
      ...(from === undefined ? {} : { from }),
      ...(probedColumns === undefined ? {} : { columns: probedColumns }),
    })
    const isLog = reader.format !== 'csv'
    const table = settings.table ?? (isLog ? 'logs' : csvTable)
    prepareTable(settings.database, table, reader.columns, isLog)
    await db.reloadSchema()
    const loaded = await load(db, table, source, reader, signal)
    await db.close()
    const { longestMs } = db.stats().transactions
    return {
      table,
      format: reader.format,
      detection: reader.detection,
      fromLine: from?.line ?? 0,
      restartReason,
      isResumable: source.isResumable,
      ...loaded,
      incomplete: reader.incomplete,
      longestTransactionMs: longestMs,
    }
  } catch (error) {
    // What was read before the trouble is committed: the next run goes on there.
    await db.close().catch(() => undefined)
    throw error
  }
}

async function findStart(
  db: Engine,
  source: Source,
): Promise<{ from?: Checkpoint; restartReason: string | undefined }> {
  const kept = source.key === null ? undefined : parseCheckpoint(await db.checkpoint(source.key))
  if (!kept) return { restartReason: undefined }
  const match = await source.matches(kept)
  return match.kind === 'goes-on' ? { from: kept, restartReason: undefined } : { restartReason: match.reason }
}

type Loaded = Pick<IngestReport, 'rows' | 'bad' | 'firstBad' | 'refused' | 'ms' | 'wasStopped'>

async function load(
  db: Engine,
  table: string,
  source: Source,
  reader: EntryReader,
  signal: AbortSignal,
): Promise<Loaded> {
  const startedMs = performance.now()
  const bar = progressBar(source.name, source.size ?? undefined, process.stderr)
  let rows = 0
  let bad = 0
  let firstBad: BadLine | undefined
  try {
    for await (const block of reader.blocks) {
      await write(db, table, source.key, block)
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
      if (signal.aborted) break
    }
    await db.flush()
  } finally {
    bar.stop()
  }
  const refused = db.stats().rejected - bad
  return {
    rows: rows - refused,
    bad,
    firstBad,
    refused,
    ms: performance.now() - startedMs,
    wasStopped: signal.aborted,
  }
}

/** Waits for room; a block that does not fit an empty queue is an error of its own. */
async function write(db: Engine, table: string, key: string | null, block: EntryBlock): Promise<void> {
  const unreadable = block.bad.map(({ line, text, error }) => ({ text, error: `line ${line}: ${error}` }))
  const checkpoint =
    key === null || block.checkpoint === null ? {} : { checkpoint: { source: key, value: block.checkpoint } }
  for (;;) {
    try {
      db.insertMany(table, block.rows, { atomic: false, unreadable, ...checkpoint })
      return
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      await db.ready()
    }
  }
}

/** `data/orders 2024.csv.gz` → `orders_2024` */
function tableNameOf(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? ''
  const stem = base.replace(/\.gz$/i, '').replace(/\.[^.]*$/, '')
  const clean = stem.replaceAll(/\W+/g, '_').replace(/^_+|_+$/g, '')
  if (/^(tidemark|sqlite)_/i.test(clean))
    throw new CommandError(EXIT.usage, `a table cannot be named "${clean}".`, 'Name one with --table.')
  return clean === '' ? 'rows' : clean
}
