/** `tidemark/server`: a log store and its engine, or an engine alone, over HTTP. */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { TidemarkError } from '../errors.ts'
import { systemRuntime } from '../runtime/system.ts'
import { buildApp } from './app.ts'
import type { Engine, ServerContext } from './context.ts'
import { AlertLog } from './alert-log.ts'
import { EffectsHistory } from './effects-history.ts'
import { EventLoop } from './event-loop.ts'
import { History } from './history.ts'
import { parseLimits } from './limits.ts'
import { Metrics } from './metrics.ts'
import { OpenTables } from './open-tables.ts'
import { checkOptions, type Incident, type ServeOptions } from './options.ts'
import { Readiness } from './readiness.ts'
import { Recoveries } from './recoveries.ts'
import { Sizes } from './sizes.ts'
import { Tokens } from './tokens.ts'

export { LIMITS, type Limits } from './limits.ts'
export type { Incident, ServeOptions } from './options.ts'
export type { RecoveryQueries } from './recoveries.ts'
export { parseTokens, SCOPES, type Scope, type Token } from './tokens.ts'

export interface RunningServer {
  /** Such as `http://127.0.0.1:7373`. */
  readonly url: string

  /**
   * Takes no new connection, ends the tails, lets the requests under way finish, and waits until what they wrote is
   * committed. The log store stays open: whoever opened it closes it.
   *
   * @param options `drainMs`: requests that are not finished by then are cut off. Default 25,000
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

const defaultDrainMs = 25_000

/**
 * Serves a log store or an engine over HTTP, on this machine only unless there are tokens.
 *
 * @throws TidemarkError `INVALID_OPTIONS`, `CANNOT_LISTEN`
 */
export async function serve<DB extends object>(options: ServeOptions<DB>): Promise<RunningServer> {
  checkOptions(options)
  const limits = parseLimits(options.limits)
  const tokens = new Tokens(options.tokens ?? [])
  const { logs, host = '127.0.0.1', port = 7373, cors = [], dashboard = true, onError = complain } = options
  const runtime = systemRuntime
  const db = engineOf(options)
  const recoveries = new Recoveries(db, options.recover)
  const effects = new EffectsHistory(db, runtime, recoveries.kinds, options.effects)
  const sql = options.sql?.open(runtime)
  const readiness = new Readiness(db, runtime, (message) => onError(new Error(message), nowhere))
  const alertLog = new AlertLog(db, runtime, (message) => onError(messageAlone(message), nowhere))
  const eventLoop = new EventLoop()
  const sizes = new Sizes(db, logs)
  const metrics = new Metrics({ db, eventLoop, sizes, effects, readiness, sql })
  const history = new History(db, runtime, eventLoop, sizes)
  const context: ServerContext = {
    logs,
    db,
    sql,
    runtime,
    limits,
    readiness,
    history,
    eventLoop,
    sizes,
    effects,
    recoveries,
    metrics,
    tables: new OpenTables(db, runtime),
    startedAtMs: runtime.wallMs(),
  }
  const release = async (): Promise<void> => {
    for (const part of [readiness, alertLog, eventLoop, metrics, history, effects]) part.stop()
    await sql?.close()
  }
  try {
    const app = await buildApp(context, { guard: { tokens, origins: cors }, dashboard, onError })
    await listen(app, host, port)
    let closing: Promise<void> | undefined
    const end = async (drainMs: number): Promise<void> => {
      try {
        await close(app, context, drainMs)
      } finally {
        await release()
      }
    }
    return {
      url: urlOf(app, host),
      close: ({ drainMs = defaultDrainMs } = {}) => (closing ??= end(drainMs)),
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** One of the two is there: that was checked. */
function engineOf<DB extends object>({ logs, db }: ServeOptions<DB>): Engine {
  // Its names and rows are checked against the schema, whatever tables it is typed by.
  return (logs?.tidemark ?? db) as unknown as Engine
}

/** What is not about any one request. */
const nowhere: Incident = { id: 'engine', method: '-', route: '-' }

/** Where in our code it was said tells nobody anything. */
function messageAlone(message: string): Error {
  return Object.assign(new Error(message), { stack: undefined })
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port, backlog: 511 })
  } catch (cause) {
    await app.close()
    const { code, message } = cause as NodeJS.ErrnoException
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: `port ${port} on ${host} is taken by another process`,
      EACCES: `this user may not listen on port ${port}`,
      EADDRNOTAVAIL: `${host} is no address of this machine`,
      ENOTFOUND: `${host} is no name that leads anywhere`,
    }
    throw new TidemarkError('CANNOT_LISTEN', `the server cannot start: ${reasons[code ?? ''] ?? message}.`, {
      cause,
      hint: 'Give it another --port (0 for any that is free) or another --host.',
    })
  }
}

async function close(
  app: FastifyInstance,
  { db, runtime, readiness }: ServerContext,
  drainMs: number,
): Promise<void> {
  readiness.drain()
  const deadline = Promise.withResolvers<void>()
  const timer = runtime.after(drainMs, () => {
    app.server.closeAllConnections()
    deadline.resolve()
  })
  try {
    await app.close()
    // Whoever was answered 202 was promised a place in the queue. An engine that has stopped cannot keep it, and said so.
    await Promise.race([db.flush().catch(() => undefined), deadline.promise])
  } finally {
    timer.cancel()
  }
}

function urlOf(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}

function complain(error: unknown, where: Incident): void {
  const { id, method, route } = where
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(
    where === nowhere ? `tidemark: ${text}\n` : `tidemark: ${method} ${route} failed (${id}): ${text}\n`,
  )
}
