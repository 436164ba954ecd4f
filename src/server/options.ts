/** The options of `serve`, checked together: every problem is told at once. */
import { isIPv4 } from 'node:net'
import type { SqlRunner } from '../contracts/sql-runner.ts'
import { TidemarkError } from '../errors.ts'
import type { Tidemark, WatchOptions } from '../index.ts'
import type { LogStore } from '../logs/index.ts'
import type { Limits } from './limits.ts'
import { recoverProblems, type RecoveryQueries } from './recoveries.ts'
import type { Token } from './tokens.ts'

/** @typeParam DB the tables of `db`, as Kysely describes them: the server asks the database itself which there are */
export interface ServeOptions<DB extends object = Record<string, Record<string, unknown>>> {
  /** What is served: a log store with its engine. Whoever opened it closes it, after the server. */
  readonly logs?: LogStore
  /** Or an engine alone, on any store: then what is about logs answers `NOT_SUPPORTED`. */
  readonly db?: Tidemark<DB>
  /** Where the SQL of clients runs; without it there is no `/v1/query`. */
  readonly sql?: SqlRunner
  /** Default `127.0.0.1`. Any other than this machine itself needs tokens. */
  readonly host?: string
  /** Default 7373; 0 for one that is free. */
  readonly port?: number
  /** Who may do what. Without any, everybody on this machine may do everything. */
  readonly tokens?: readonly Token[]
  /** Origins whose pages may call, such as `https://admin.example`. */
  readonly cors?: readonly string[]
  readonly limits?: Partial<Limits>
  /** When effects are late or orphaned, and how often to look. */
  readonly effects?: WatchOptions
  /** By kind, the queries of `db.effects.recover`: clients may have it run, and send no SQL. Default none. */
  readonly recover?: Readonly<Record<string, RecoveryQueries>>
  /** Whether `/` is the dashboard. Default true. */
  readonly dashboard?: boolean
  /** Told of every error that a client only learns the id of. Default: a line to standard error. */
  readonly onError?: (error: unknown, where: Incident) => void
}

export interface Incident {
  /** What the client was told. */
  readonly id: string
  readonly method: string
  readonly route: string
}

const known = [
  'logs',
  'db',
  'sql',
  'host',
  'port',
  'tokens',
  'cors',
  'limits',
  'effects',
  'recover',
  'dashboard',
  'onError',
]

/** @throws TidemarkError `INVALID_OPTIONS` */
export function checkOptions<DB extends object>(options: ServeOptions<DB>): void {
  const problems = Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `${name} is not an option (options: ${known.join(', ')})`)
  const { host = '127.0.0.1', port = 7373, tokens = [], cors = [] } = options
  if ((options.logs === undefined) === (options.db === undefined))
    problems.push('either logs or db says what is served')
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    problems.push(`port must be a whole number from 0 to 65535, not ${String(port)}`)
  if (!isLoopback(host) && tokens.length === 0)
    problems.push(
      `host ${JSON.stringify(host)} can be reached from other machines, and without tokens everybody there could read and write: give tokens, or leave the host 127.0.0.1`,
    )
  for (const origin of cors) {
    if (!isOrigin(origin))
      problems.push(`cors takes origins such as https://admin.example, not ${JSON.stringify(origin)}`)
  }
  problems.push(...recoverProblems(options.recover))
  if (problems.length > 0) throw invalidServerOptions(problems)
}

export function invalidServerOptions(problems: readonly string[]): TidemarkError {
  return new TidemarkError('INVALID_OPTIONS', `the server cannot start: ${problems.join('; ')}.`)
}

/** Names that lead to this machine wherever they are resolved; and so no name that somebody else's DNS could answer. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  return (
    name === 'localhost' || name === '::1' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'))
  )
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
}
