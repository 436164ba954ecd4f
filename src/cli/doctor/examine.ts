/** All checks, in the order in which their findings are read: what is wrong first often explains what follows. */
import { unprefixed } from '../../errors.ts'
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { corruptHint, toStoreError } from '../../stores/sqlite/classify.ts'
import { bookkeeping, deadLetters, hasBookkeeping, openWriters } from './bookkeeping.ts'
import {
  folderWritable,
  freeSpace,
  journalMode,
  logSize,
  lookAtFile,
  type DatabaseFile,
} from './database-file.ts'
import { fileSystem } from './file-system.ts'
import { fail, type Finding } from './finding.ts'
import { holdersOf, type Holders } from './holders.ts'
import { foreignKeys, integrity } from './integrity.ts'
import { openDatabase } from './open-database.ts'
import { inUse, installedPackages, libraries } from './second-library.ts'
import { nodeVersion, sqliteVersion } from './versions.ts'

export interface Examination {
  readonly database: string
  /** Reads all of the file, and checks foreign keys. */
  readonly isFull: boolean
  /** Where packages are looked for, and upwards. */
  readonly project: string
}

export function* examine({ database, isFull, project }: Examination): Generator<Finding> {
  yield nodeVersion()
  yield sqliteVersion()
  const { file, finding } = lookAtFile(resolve(database))
  yield finding
  if (file !== undefined) yield* examineFile(file, database, isFull)
  yield installedPackages(project)
}

function* examineFile(file: DatabaseFile, called: string, isFull: boolean): Generator<Finding> {
  yield folderWritable(file.path)
  yield fileSystem(file.path)
  yield freeSpace(file)
  yield journalMode(file)
  yield logSize(file)
  // Before it is opened here, and by the time it is closed again.
  const holders = holdersOf(file.path)
  const { database, finding } = openDatabase(file)
  yield finding
  if (database !== undefined) {
    try {
      yield* examineDatabase(database, file, called, isFull, holders)
    } finally {
      database.close()
    }
  }
  yield inUse(holders)
  yield libraries(holders)
}

function* examineDatabase(
  database: DatabaseSync,
  file: DatabaseFile,
  called: string,
  isFull: boolean,
  holders: Holders | undefined,
): Generator<Finding> {
  const tables = orFailure('bookkeeping', () => bookkeeping(database))
  yield tables
  if (tables.status === 'ok' && hasBookkeeping(database)) {
    const seen = holders?.hidden === 0 ? holders.holders.length : undefined
    yield orFailure('writers', () => openWriters(database, seen))
    yield orFailure('dead letters', () => deadLetters(database, called))
  }
  yield orFailure('integrity', () => integrity(database, file, isFull))
  if (isFull) yield orFailure('foreign keys', () => foreignKeys(database))
}

/** What SQLite says of damage, or of a lock, wherever it meets it. */
function orFailure(name: string, check: () => Finding): Finding {
  try {
    return check()
  } catch (error) {
    const { message, hint } = toStoreError(error)
    return fail(name, unprefixed(message), hint ?? corruptHint)
  }
}
