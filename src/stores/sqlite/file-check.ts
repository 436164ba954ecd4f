/**
 * Whether a database file is whole and the write-ahead log beside it belongs to it: what SQLite does not ask.
 *
 * It believes every log whose own checksums are right. One of another moment (copied apart from its file, or
 * cut short behind what was copied back already) it lays over newer pages, and the mix is nothing that ever was.
 * The tidemark tells: every commit of an engine raises it, so the file without its log is never ahead of the file
 * with it. Looked at only where a log was left, which is behind a crash or beside another engine; 1 ms.
 */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StoreError } from '../../errors.ts'
import { nameOf } from '../../sqlite-codes.ts'
import { corruptHint, isSqliteError } from './classify.ts'
import type { SqliteSettings } from './options.ts'

/** What a database says of itself. */
interface Account {
  readonly id: string
  readonly lastEpoch: number
  readonly tidemarks: ReadonlyMap<number, number>
}

/** A checkpoint of another process may be half-way while the file is read without its log. */
const attempts = 3
/** A log holds nothing before its first frame. */
const headerBytes = 32

/** Every page is a multiple of it, and so is what a process that dies has written of one. */
const sectorBytes = 512

/**
 * Opens a file when it is whole, as far as that can be told at once, and its log belongs to it.
 *
 * @throws StoreError `fatal` when not; nothing was copied back then, the file and its log are as they were
 */
export function openChecked(
  path: string,
  { journalMode }: SqliteSettings,
  open: () => DatabaseSync,
): DatabaseSync {
  const bytes = sizeOf(path)
  // A file that is missing is made anew, whatever lies beside it; everything else is for `open` to tell.
  if (sizeOf(`${path}-wal`) <= headerBytes || bytes < 0) return openWithoutLog(path, open)
  // Of one byte SQLite says that it is none.
  if (bytes <= 1)
    throw misfit(path, 'the file is empty, and SQLite would remove the log', 'or remove both to begin anew')
  if (bytes % sectorBytes !== 0) throw incomplete(bytes)
  const beside = besideLog(path)
  if (beside === undefined) return open()
  try {
    let problem = problemOf(path, beside)
    for (let attempt = 1; problem !== undefined && attempt < attempts; attempt++)
      problem = problemOf(path, beside)
    if (problem !== undefined)
      throw misfit(
        path,
        problem,
        'or remove the log: what it alone holds is lost. If a backup was restored into the open database, ' +
          "keep it with `sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'`",
      )
    // Open until the other is, so that the log need be read once only; but who ends the log must be alone.
    if (journalMode !== 'wal') beside.close()
    return open()
  } finally {
    if (beside.isOpen) beside.close()
  }
}

/** Where no log can complete it, the last page must be there: SQLite takes what is missing of it for zeros. */
function openWithoutLog(path: string, open: () => DatabaseSync): DatabaseSync {
  const database = open()
  const bytes = sizeOf(path)
  const pageBytes = Number(database.prepare('PRAGMA page_size').get()?.['page_size'])
  if (bytes % pageBytes === 0) return database
  database.close()
  throw incomplete(bytes)
}

function incomplete(bytes: number): StoreError {
  return new StoreError('fatal', `the file ends inside a page, at ${bytes} bytes: it was cut`, {
    storeCode: 'SQLITE_CORRUPT',
    hint: corruptHint,
  })
}

/** Read-only: closing it copies nothing back. */
function besideLog(path: string): DatabaseSync | undefined {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: 0 })
  } catch {
    return undefined
  }
}

function problemOf(path: string, beside: DatabaseSync): string | undefined {
  const file = withoutLog(path)
  if (file === undefined) return undefined
  let log: Account | undefined
  try {
    log = accountOf(beside)
  } catch (error) {
    const code = isSqliteError(error) ? nameOf(error.errcode) : ''
    // Whatever else hinders it (a lock, missing rights) meets who opens the file next, and is told there.
    return code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB' ? 'together they are malformed' : undefined
  }
  if (log?.id !== file.id) return 'it is the log of another database'
  if (log.lastEpoch < file.lastEpoch)
    return `it ends in epoch ${log.lastEpoch}, and the file knows epoch ${file.lastEpoch}`
  for (const [epoch, watermark] of file.tidemarks) {
    const logged = log.tidemarks.get(epoch)
    if (logged !== undefined && logged < watermark)
      return `it ends at tidemark ${logged} of epoch ${epoch}, and the file is at ${watermark}`
  }
  return undefined
}

/**
 * What the file alone says, if it says anything: behind a checkpoint that was interrupted it need not.
 *
 * @throws when it is no database: SQLite would lay a log over it nevertheless, and make one of it
 */
function withoutLog(path: string): Account | undefined {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1') // https://www.sqlite.org/uri.html#uriimmutable
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(url, { readOnly: true })
    return accountOf(database)
  } catch (error) {
    if (isSqliteError(error) && nameOf(error.errcode) === 'SQLITE_NOTADB') throw error
    return undefined
  } finally {
    database?.close()
  }
}

function accountOf(database: DatabaseSync): Account | undefined {
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE name IN ('tidemark_database', 'tidemark_writers')")
    .all()
  if (tables.length < 2) return undefined
  const row = database.prepare('SELECT id, last_epoch FROM tidemark_database').get()
  if (row === undefined) return undefined
  const tidemarks = database.prepare('SELECT epoch, watermark FROM tidemark_writers').all()
  return {
    id: String(row['id']),
    lastEpoch: Number(row['last_epoch']),
    tidemarks: new Map(tidemarks.map(({ epoch, watermark }) => [Number(epoch), Number(watermark)])),
  }
}

function misfit(path: string, problem: string, otherwise: string): StoreError {
  return new StoreError('fatal', `the log "${path}-wal" does not belong to it: ${problem}`, {
    storeCode: 'SQLITE_CORRUPT',
    hint: `Put back the file and the log that belong together, from one moment; ${otherwise}.`,
  })
}

/** Without opening it: that would drop the locks this process may hold on it. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1
}
