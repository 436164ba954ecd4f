/** What the command line says of a database that cannot be used. */
import { StoreError, unprefixed } from '../errors.ts'
import { codeOf, messageOf } from '../sql/failure.ts'
import { toStoreError } from '../stores/sqlite/classify.ts'
import type { Database } from './database.ts'
import { CommandError, EXIT } from './failure.ts'

/** What the user of a command can do; the engine's own hints are for programs, which go on trying. */
const sqliteHints: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'Another process holds its lock. Wait until it lets go, then run the same command again.',
  SQLITE_CANTOPEN: 'Check the path given with --db, and that its folder exists and may be written to.',
  SQLITE_FULL: 'Make room on the disk, then run the same command again.',
  SQLITE_IOERR: 'Check the path given with --db: is it a file, on a disk that works?',
  SQLITE_NOTADB: 'Check the path given with --db: this file is something else.',
  SQLITE_READONLY:
    'Give this user write permission on the file and on its folder, or name another with --db.',
}

const unreachable = 'Check the host and the port in the URL given with --store, and that the server runs.'
const whoAreYou = 'Give the user in the URL, and the password there or in PGPASSWORD.'
const postgresHints: Readonly<Record<string, string>> = {
  EAI_AGAIN: unreachable,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  ETIMEDOUT: unreachable,
  '25006': 'This server is a standby, or takes no writes: give the URL of its primary.',
  '28000': whoAreYou,
  '28P01': whoAreYou,
  '3D000': 'Check the name of the database in the URL, or make it: createdb NAME',
  '3F000': 'Check the search_path of the user, or make the schema.',
  '42501': 'Give this user that right, or use another one in the URL.',
  '53100': 'Make room on the disk of the server, then run the same command again.',
  '53300': 'The server has no connection left: end some, or raise its max_connections.',
  '57P03': 'The server is starting or stopping. Wait, then run the same command again.',
}

export function databaseError(database: Database, error: unknown): CommandError {
  return database.kind === 'sqlite' ? sqliteError(database.path, error) : postgresError(database.name, error)
}

function sqliteError(path: string, error: unknown): CommandError {
  const { message, storeCode, hint } = toStoreError(error)
  const reason = unprefixed(message)
  // The store says itself what it could not open.
  return new CommandError(
    EXIT.failed,
    error instanceof StoreError ? `${reason}.` : `cannot open "${path}": ${reason}.`,
    sqliteHints[storeCode ?? ''] ?? hint,
  )
}

function postgresError(name: string, error: unknown): CommandError {
  if (error instanceof StoreError) {
    const reason = unprefixed(error.message).replace(/\.$/, '')
    return new CommandError(EXIT.failed, `${reason}.`, hintOf(error.storeCode, reason) ?? error.hint)
  }
  const [reason, code] = [messageOf(error).replace(/\.$/, ''), codeOf(error)]
  const told = code === undefined ? reason : `${reason} (${code})`
  return new CommandError(EXIT.failed, `${name}: ${told}.`, hintOf(code, reason))
}

function hintOf(code: string | undefined, reason: string): string | undefined {
  // The driver was asked for a password and has none.
  return postgresHints[code ?? ''] ?? (/SASL|password/i.test(reason) ? whoAreYou : undefined)
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return toStoreError(error).storeCode === 'SQLITE_BUSY'
}
