/** `tidemark serve` */
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { openLogs, type Retention } from '../../logs/index.ts'
import { parseTokens, serve, type Token } from '../../server/index.ts'
import { sqlite, sqliteQueries } from '../../stores/sqlite/index.ts'
import { CommandError, EXIT } from '../failure.ts'
import { followUntil } from './follow.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface ServeSettings {
  readonly database: string
  readonly host: string
  readonly port: number
  readonly tokens: string | undefined
  readonly cors: readonly string[]
  readonly retention: Retention
  readonly drainMs: number
  readonly dashboard: boolean
  /** Log files to follow meanwhile. */
  readonly follow: readonly string[]
}

const tokensVariable = 'TIDEMARK_TOKENS'
/** What is left for the last commits when the requests have taken all the time there was. */
const leastCloseMs = 1_000

/** Serves until a signal comes, then drains. @returns the exit code @throws what ends it before */
export async function serveDatabase(settings: ServeSettings): Promise<number> {
  const { database, host, port, cors, retention, drainMs, dashboard } = settings
  const tokens = readTokens(settings.tokens)
  using stop = stopOnSignals('stopping; what was accepted is being committed')
  const logs = await openLogs(sqlite(database), { retention })
  let closeWithinMs = leastCloseMs
  try {
    const server = await serve({ logs, sql: sqliteQueries(database), host, port, tokens, cors, dashboard })
    process.stdout.write(`tidemark: ${database} is served at ${server.url}\n`)
    // Its engines are its own: they index what they write, and the tails see it a moment later.
    const followers = followUntil(stop, settings.follow, { database, table: undefined, format: 'auto' })
    await untilStopped(stop.signal, followers)
    const deadlineMs = performance.now() + drainMs
    const ended = await Promise.allSettled([followers, server.close({ drainMs })])
    closeWithinMs = Math.max(leastCloseMs, deadlineMs - performance.now())
    for (const end of ended) if (end.status === 'rejected') throw end.reason
  } finally {
    await logs.close({ timeoutMs: closeWithinMs })
  }
  return EXIT.ok
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
