/** What the engine does, now and over the last minutes. */
import type { FastifyInstance } from 'fastify'
import type { EffectStats, EffectTrouble } from '../../index.ts'
import type { ServerContext } from '../context.ts'
import { HISTORY_COLUMNS, HISTORY_INTERVAL_MS } from '../history.ts'
import { capitalized } from '../problems.ts'
import { historySchema, sinceSchema, statsSchema } from '../schemas.ts'
import { VERSION } from '../version.ts'

export function registerStats(app: FastifyInstance, context: ServerContext): void {
  app.get(
    '/v1/stats',
    {
      config: { scope: 'read' },
      schema: { summary: 'What the engine does now', tags: ['stats'], response: { 200: statsSchema } },
    },
    () => statsOf(context),
  )

  app.get<{ Querystring: { since?: number } }>(
    '/v1/stats/history',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'A sample a second, of the last fifteen minutes',
        tags: ['stats'],
        querystring: sinceSchema,
        response: { 200: historySchema },
      },
    },
    ({ query }) => ({
      intervalMs: HISTORY_INTERVAL_MS,
      columns: HISTORY_COLUMNS,
      samples: context.history.since(query.since ?? 0),
    }),
  )
}

async function statsOf({
  db,
  runtime,
  readiness,
  eventLoop,
  sizes,
  effects,
  startedAtMs,
}: ServerContext): Promise<object> {
  // A database that cannot be read is told by the alerts; the numbers from memory are good all the same.
  const counts = await sizes.look().catch(() => sizes.latest)
  const { queued, inFlight, committed, rejected, retries, transactions, store } = db.stats()
  const { rss, heapUsed } = process.memoryUsage()
  const nowMs = runtime.wallMs()
  return {
    version: VERSION,
    startedAt: new Date(startedAtMs).toISOString(),
    uptimeMs: Math.max(0, nowMs - startedAtMs),
    writer: db.writer,
    epoch: db.epoch,
    queue: { ...queued, isFull: db.isFull },
    inFlight,
    committed,
    rejected,
    retries,
    transactions,
    deadLetters: counts.deadLetters,
    eventLoop: eventLoop.latest,
    storage: {
      databaseBytes: counts.databaseBytes,
      usedBytes: counts.usedBytes,
      freeBytes: counts.freeBytes,
      walBytes: store.walBytes,
    },
    memory: { rssBytes: rss, heapUsedBytes: heapUsed },
    logs: counts.logs,
    effects: effects.isSupported ? totalsOf(effects.latest.kinds) : null,
    alerts: [...readiness.alerts(), ...effects.latest.troubles.map(alertOf)],
  }
}

function totalsOf(kinds: readonly EffectStats[]): object {
  return {
    kinds: kinds.length,
    undelivered: kinds.reduce((sum, { queued, waiting }) => sum + queued + waiting, 0),
    oldestMs: Math.max(0, ...kinds.map(({ oldestMs }) => oldestMs)),
    dead: kinds.reduce((sum, { dead }) => sum + dead, 0),
  }
}

function alertOf({ kind, message, sinceMs }: EffectTrouble): object {
  return { kind, message: capitalized(message), sinceMs }
}
