import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CommandError, EXIT } from './failure.ts'
import { databaseError } from './database-error.ts'

/** A database to look into: it is neither made nor changed. @throws CommandError when there is none */
export function openReadonly(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new CommandError(
      EXIT.failed,
      `there is no database ${path}.`,
      'Name one with --db, or make it: npx tidemark ingest FILE',
    )
  }
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    // Nothing is read at opening; this tells a file that is no database.
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return database
  } catch (error) {
    database?.close()
    throw databaseError({ kind: 'sqlite', name: path, path }, error)
  }
}
