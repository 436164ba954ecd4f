/** The database that a command works on: a file of SQLite, or PostgreSQL by its URL. */
import { hostname } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import type { Store } from '../contracts/store.ts'
import { isAddress, withoutPassword } from '../stores/postgres/address.ts'
import { sqlite } from '../stores/sqlite/index.ts'
import { CommandError, EXIT } from './failure.ts'

/** `name` is what is shown of it: never a password. */
export type Database = DatabaseFile | DatabaseServer

export interface DatabaseFile {
  readonly kind: 'sqlite'
  readonly name: string
  readonly path: string
}

export interface DatabaseServer {
  readonly kind: 'postgres'
  readonly name: string
  readonly url: string
}

/** @throws CommandError for an address of anything else */
export function databaseOf(text: string): Database {
  if (isAddress(text)) return { kind: 'postgres', name: withoutPassword(text), url: text }
  // Nothing of it is shown: it may hold a password.
  if (/^\w+:\/\//.test(text))
    throw new CommandError(
      EXIT.usage,
      'a database is a file of SQLite, or the URL of a PostgreSQL database.',
      'Such as: --store postgres://user@localhost:5432/app',
    )
  return { kind: 'sqlite', name: text, path: text }
}

export function databaseOption(what = 'the database: a file of SQLite, or postgres://…'): Option {
  return new Option('--db, --store <file or URL>', what)
    .argParser(databaseOf)
    .default(databaseOf('app.db'), 'app.db')
}

export function machineOption(): Option {
  return new Option(
    '--machine <name>',
    'whose files these are, in a PostgreSQL database that several machines write to (default: the name of this one)',
  ).argParser((text) => {
    if (!/^\S+$/.test(text)) throw new InvalidArgumentError('It must be a name without spaces.')
    return text
  })
}

/** A file of SQLite is that of one machine, and its sources are known by themselves. */
export function machineOf(database: Database, given: string | undefined): string | undefined {
  return database.kind === 'sqlite' ? undefined : (given ?? hostname())
}

/** @throws CommandError when it is PostgreSQL and its driver is not installed */
export async function storeOf(database: Database): Promise<Store> {
  if (database.kind === 'sqlite') return sqlite(database.path)
  const { postgres } = await needingPg(() => import('../stores/postgres/index.ts'))
  return postgres(database.url)
}

/** Loads what needs the driver: it is installed beside Tidemark, by whoever has PostgreSQL. @throws CommandError */
export async function needingPg<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const isMissing =
      error instanceof Error &&
      'code' in error &&
      error.code === 'ERR_MODULE_NOT_FOUND' &&
      error.message.includes("'pg'")
    if (!isMissing) throw error
    throw new CommandError(
      EXIT.usage,
      'PostgreSQL is reached through the package pg, which is not installed.',
      'Install it beside tidemark: npm install pg',
    )
  }
}

/** @throws CommandError for a command that works on files only */
export function requireFile(database: Database, command: string, instead: string): DatabaseFile {
  if (database.kind === 'sqlite') return database
  throw new CommandError(
    EXIT.usage,
    `${command} works on a file of SQLite, not on PostgreSQL (NOT_SUPPORTED).`,
    instead,
  )
}
