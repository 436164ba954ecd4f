/** `tidemark serve` */
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import type { SqlRunner } from '../../contracts/sql-runner.ts'
import { StoreError } from '../../errors.ts'
import { openLogs, type Retention } from '../../logs/index.ts'
import { parseTokens, serve, type ServeOptions, type Token } from '../../server/index.ts'
import { sqlite, sqliteQueries } from '../../stores/sqlite/index.ts'
import { open } from '../../tidemark.ts'
import { databaseError } from '../database-error.ts'
import { needingPg, storeOf, type Database } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import { lookInto } from '../look-into.ts'
import { readRecoveries } from '../recovery-queries.ts'
import { followUntil } from './follow.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface ServeSettings {
  readonly database: Database
  /** Where the SQL of clients runs on PostgreSQL: the same database, as a user who can only read. */
  readonly queryStore: Database | undefined
  /** See `sourceName`. */
  readonly machine: string | undefined
  readonly host: string
  readonly port: number
  readonly tokens: string | undefined
  readonly cors: readonly string[]
  readonly retention: Retention
  readonly drainMs: number
  readonly dashboard: boolean
  /** When the oldest effect of a kind is late, in ms. */
  readonly effectsLate: number
  /** A file of the queries by which each kind is recovered. */
  readonly recover: string | undefined
  /** Log files to follow meanwhile. */
  readonly follow: readonly string[]
}

const tokensVariable = 'TIDEMARK_TOKENS'
/** What is left for the last commits when the requests have taken all the time there was. */
const leastCloseMs = 1_000

/** Serves until a signal comes, then drains. @returns the exit code @throws what ends it before */
export async function serveDatabase(settings: ServeSettings): Promise<number> {
  const { database, machine, host, port, cors, drainMs, dashboard, effectsLate } = settings
  const tokens = readTokens(settings.tokens)
  const recover = settings.recover === undefined ? {} : readRecoveries(settings.recover)
  using stop = stopOnSignals('stopping; what was accepted is being committed')
  const { close, ...served } = await openServed(settings)
  let closeWithinMs = leastCloseMs
  try {
    const effects = { lateAfterMs: effectsLate }
    const server = await serve({ ...served, host, port, tokens, cors, dashboard, effects, recover })
    process.stdout.write(`tidemark: ${database.name} is served at ${server.url}\n`)
    // Its engines are its own: they index what they write, and the tails see it a moment later.
    const followed = { database, machine, table: undefined, format: 'auto' } as const
    const followers = followUntil(stop, settings.follow, followed)
    await untilStopped(stop.signal, followers)
    const deadlineMs = performance.now() + drainMs
    const ended = await Promise.allSettled([followers, server.close({ drainMs })])
    closeWithinMs = Math.max(leastCloseMs, deadlineMs - performance.now())
    for (const end of ended) if (end.status === 'rejected') throw end.reason
  } finally {
    await close({ timeoutMs: closeWithinMs })
  }
  return EXIT.ok
}

interface Served extends Pick<ServeOptions, 'logs' | 'db' | 'sql'> {
  readonly close: (options: { readonly timeoutMs: number }) => Promise<void>
}

/** A file with its logs; of a server the engine alone. */
async function openServed({ database, queryStore, retention }: ServeSettings): Promise<Served> {
  if (database.kind === 'sqlite') {
    if (queryStore !== undefined)
      throw new CommandError(
        EXIT.usage,
        '--query-store goes with a PostgreSQL --store.',
        'On a file, the SQL of clients runs in a process that can only read it.',
      )
    const logs = await openLogs(sqlite(database.path), { retention })
    return { logs, sql: sqliteQueries(database.path), close: (options) => logs.close(options) }
  }
  if (Object.keys(retention).length > 0)
    throw new CommandError(
      EXIT.usage,
      '--retention-age and --retention-size are for the logs of an SQLite file (NOT_SUPPORTED).',
      'Delete old rows by SQL, or drop old partitions.',
    )
  const sql = queryStore && (await queriesOf(queryStore))
  try {
    const db = await open(await storeOf(database))
    return { db, ...(sql && { sql }), close: (options) => db.close(options) }
  } catch (error) {
    throw error instanceof StoreError ? databaseError(database, error) : error
  }
}

async function queriesOf(database: Database): Promise<SqlRunner> {
  if (database.kind === 'sqlite')
    throw new CommandError(
      EXIT.usage,
      '--query-store must be a URL of the same PostgreSQL database.',
      'Such as: --query-store postgres://reader@localhost:5432/app',
    )
  const { postgresQueries } = await needingPg(() => import('../../stores/postgres/index.ts'))
  // Else the first client would be the first to know that it cannot be reached.
  await lookInto(database, async () => undefined)
  return postgresQueries(database.url)
}

/** Or until a follower fails for a reason that concerns the database; files that cannot be read are told and left. */
async function untilStopped(signal: AbortSignal, followers: Promise<unknown>): Promise<void> {
  if (signal.aborted) return
  const failed = followers.then(() => new Promise<never>(() => undefined))
  await Promise.race([once(signal, 'abort'), failed]).catch(() => undefined)
}

/** @throws CommandError for a file that others could read; TidemarkError naming the line that is wrong */
function readTokens(file: string | undefined): Token[] {
  if (file !== undefined) return parseTokens(readSecret(file), file)
  const text = process.env[tokensVariable]
  return text === undefined || text.trim() === '' ? [] : parseTokens(text, tokensVariable)
}

function readSecret(file: string): string {
  try {
    const { mode } = statSync(file)
    if (process.platform !== 'win32' && (mode & 0o007) !== 0)
      throw new CommandError(
        EXIT.usage,
        `everybody on this machine can read or change ${file}, which holds tokens.`,
        `Run: chmod 600 ${file}`,
      )
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof CommandError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(
      EXIT.usage,
      `the tokens cannot be read: ${reason}.`,
      'Make some: npx tidemark token',
    )
  }
}
