/** Opens a database so that neither it nor its folder is changed by that. */
import { unprefixed } from '../../errors.ts'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { SQLITE_DEFAULTS } from '../../stores/sqlite/options.ts'
import { toStoreError } from '../../stores/sqlite/classify.ts'
import { openChecked } from '../../stores/sqlite/file-check.ts'
import type { DatabaseFile } from './database-file.ts'
import { fail, ok, type Finding } from './finding.ts'

/** How long a lock of others is waited for, in ms. */
const timeout = 5_000

/** Whether it is whole, as far as can be told at once, and its log belongs to it. */
export function openDatabase(file: DatabaseFile): { database?: DatabaseSync; finding: Finding } {
  const name = 'database'
  let database: DatabaseSync | undefined
  try {
    database = openChecked(file.path, SQLITE_DEFAULTS, () => {
      database = openReadonly(file)
      return database
    })
    // Nothing is read at opening.
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return {
      database,
      finding: ok(name, (file.logBytes ?? 0) > 0 ? 'it opens, and the log is its own' : 'it opens'),
    }
  } catch (error) {
    if (database?.isOpen) database.close()
    const { message, hint } = toStoreError(error)
    return { finding: fail(name, unprefixed(message), hint ?? 'Restore a backup.') }
  }
}

/**
 * Where there is no log nobody has the file open to write with one. Opened as any other, it would get an empty log and
 * an index of that, which a connection that only reads cannot remove.
 */
function openReadonly({ path, journal, logBytes }: DatabaseFile): DatabaseSync {
  if (journal !== 'wal' || logBytes !== undefined) return new DatabaseSync(path, { readOnly: true, timeout })
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1') // https://www.sqlite.org/uri.html#uriimmutable
  return new DatabaseSync(url, { readOnly: true })
}
