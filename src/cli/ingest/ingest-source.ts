/**
 * Ingests one source: its rows, its bad lines and how far it was read go into the database together, block by
 * block, so that it can be stopped anywhere and run again: no line twice, none missing.
 */
import { deriveFor } from '../../logs/index.ts'
import { StoreError, TidemarkError } from '../../errors.ts'
import { open, type Tidemark } from '../../tidemark.ts'
import { databaseError } from '../database-error.ts'
import { storeOf, type Database } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Detection } from './formats/detect.ts'
import type { FormatName } from './formats/columns.ts'
import { findLastLoad, loadName, sourceName, type LastLoad } from './last-load.ts'
import { load, type Loaded } from './load.ts'
import type { ProgressBar } from '../terminal/progress.ts'
import { readEntries, type BadLine, type LastLine } from './reader.ts'
import { lockSource } from './source-lock.ts'
import type { Source } from './source.ts'
import { indexedLogTables } from './sqlite-tables.ts'
import { findTable, prepareTable } from './target-table.ts'

export interface IngestSettings {
  readonly database: Database
  /** Which machine's files these are, where the database is that of many; see `sourceName`. */
  readonly machine: string | undefined
  /** Undefined: the one that the source went to the last time; else `logs`, or for CSV one named after the file. */
  readonly table: string | undefined
  readonly format: FormatName | 'auto'
}

/** What one who follows a file knows of it; a plain ingest finds all of it out by itself. */
export interface Course {
  readonly lastLine?: LastLine
  /** Where to go on in a source that has no checkpoint of its own. */
  readonly start?: LastLoad | undefined
  /** For a source that begins anew: those of the file before it. */
  readonly heritage?: { readonly table: string; readonly format: FormatName } | undefined
  readonly bar?: ProgressBar
}

export interface IngestReport extends Loaded {
  readonly table: string
  readonly format: FormatName
  readonly detection: Detection | null
  /** The line before which this run began: 0 unless it went on. */
  readonly fromLine: number
  /** Why an earlier checkpoint was not used. */
  readonly restartReason: string | undefined
  readonly isResumable: boolean
  readonly incomplete: BadLine | null
}

type Engine = Tidemark<Record<string, Record<string, unknown>>>

/**
 * @param signal stops reading; what was read is committed
 * @throws CommandError, InputError when nothing of the source could be read
 */
export async function ingestSource(
  source: Source,
  settings: IngestSettings,
  signal: AbortSignal,
  course: Course = {},
): Promise<IngestReport> {
  if (source.key === null) return await ingestUnlocked(source, settings, signal, course)
  const lock = lockSource(settings.database, source.key, source.name)
  try {
    return await ingestUnlocked(source, settings, signal, course)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'FENCED') throw error
    throw new CommandError(
      EXIT.busy,
      `another process has begun to ingest ${source.name} into ${settings.database.name}; this one has stopped.`,
      'What it had committed is in, and the other one goes on behind it.',
    )
  } finally {
    lock.release()
  }
}

async function ingestUnlocked(
  source: Source,
  settings: IngestSettings,
  signal: AbortSignal,
  { lastLine, start, heritage, bar }: Course,
): Promise<IngestReport> {
  const { database, machine } = settings
  const name = source.key === null ? undefined : sourceName(machine, source.key)
  const db = await openEngine(database, name)
  try {
    const given = settings.table && ((await findTable(database, settings.table))?.name ?? settings.table)
    const found = await findStart(db, source, name, database, given)
    const { restartReason } = found
    const from = found.from ?? start?.checkpoint
    const before = found.table ?? start?.table ?? heritage?.table
    const format =
      from === undefined && settings.format === 'auto' ? (heritage?.format ?? 'auto') : settings.format
    const csvTable = given ?? before ?? tableNameOf(source.name)
    const columns = (await findTable(database, csvTable))?.columns
    const reader = readEntries(source, {
      format,
      ...(from && { from }),
      ...(columns && { columns }),
      ...(lastLine && { lastLine }),
    })

    const isLog = reader.format !== 'csv'
    const wanted = isLog ? (given ?? before ?? 'logs') : csvTable
    const table = await prepareTable(database, wanted, reader.columns, isLog)
    await db.reloadSchema()
    const checkpoints = name === undefined ? undefined : loadName(name, table.name)
    const loaded = await load(db, { table, checkpoints, source, reader, signal, bar })
    await db.close()
    return {
      ...loaded,
      table: table.name,
      format: reader.format,
      detection: reader.detection,
      fromLine: from?.line ?? 0,
      restartReason,
      isResumable: source.isResumable,
      incomplete: reader.incomplete,
    }
  } catch (error) {
    // What was read before the trouble is committed: the next run goes on there.
    await db.close().catch(() => undefined)
    throw error
  }
}

/** The engine's name is the source's: whoever opens it next fences this run and reads its last checkpoint. */
async function openEngine(database: Database, name: string | undefined): Promise<Engine> {
  try {
    const indexed = database.kind === 'sqlite' ? indexedLogTables(database) : []
    const derive = Object.fromEntries(indexed.flatMap((table) => Object.entries(deriveFor(table))))
    return await open(await storeOf(database), {
      derive,
      ...(name !== undefined && { writer: `ingest ${name}` }),
    })
  } catch (error) {
    throw error instanceof StoreError ? databaseError(database, error) : error
  }
}

async function findStart(
  db: Engine,
  source: Source,
  name: string | undefined,
  database: Database,
  given: string | undefined,
): Promise<{ from?: Checkpoint; table?: string; restartReason?: string }> {
  const last = name === undefined ? undefined : await findLastLoad(db, name, given)
  if (!last) return {}
  const { checkpoint: from, table } = last
  const match = await source.matches(from)
  if (match.kind === 'new') return { restartReason: match.reason }
  if (!(await findTable(database, table)))
    return { table, restartReason: `table "${table}" is not there any more` }
  return { from, table }
}

/** `data/orders 2024.csv.gz` → `orders_2024` */
function tableNameOf(name: string): string {
  const base = name.split(/[\\/]/).at(-1) ?? ''
  const stem = base.replace(/\.gz$/i, '').replace(/\.[^.]*$/, '')
  const clean = stem.replaceAll(/[^\p{L}\p{N}_]+/gu, '_').replace(/^_+|_+$/g, '')
  if (clean === '') return 'rows'
  // Names that begin so are taken, by SQLite and by the engine.
  return /^(tidemark|sqlite)_/i.test(clean) ? `csv_${clean}` : clean
}
