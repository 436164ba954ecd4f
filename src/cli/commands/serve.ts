/** `tidemark serve` */
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { openLogs, type Retention } from '../../logs/index.ts'
import { parseTokens, serve, type Token } from '../../server/index.ts'
import { sqlite, sqliteQueries } from '../../stores/sqlite/index.ts'
import { CommandError, EXIT } from '../failure.ts'
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
}

const tokensVariable = 'TIDEMARK_TOKENS'
/** What is left for the last commits when the requests have taken all the time there was. */
const leastCloseMs = 1_000

/** Serves until a signal comes, then drains. @returns the exit code */
export async function serveDatabase(settings: ServeSettings): Promise<number> {
  const { database, host, port, cors, retention, drainMs, dashboard } = settings
  const tokens = readTokens(settings.tokens)
  using stop = stopOnSignals('stopping; what was accepted is being committed')
  const logs = await openLogs(sqlite(database), { retention })
  let closeWithinMs = leastCloseMs
  try {
    const server = await serve({ logs, sql: sqliteQueries(database), host, port, tokens, cors, dashboard })
    process.stdout.write(`tidemark: ${database} is served at ${server.url}\n`)
    if (!stop.signal.aborted) await once(stop.signal, 'abort')
    const deadlineMs = performance.now() + drainMs
    await server.close({ drainMs })
    closeWithinMs = Math.max(leastCloseMs, deadlineMs - performance.now())
  } finally {
    await logs.close({ timeoutMs: closeWithinMs })
  }
  return EXIT.ok
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
