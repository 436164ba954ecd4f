/** What Prometheus is told, in a registry of the server's own. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { OpenedSqlRunner } from '../contracts/sql-runner.ts'
import type { Engine } from './context.ts'
import { callDurations, showEffects } from './effect-metrics.ts'
import type { EffectsHistory } from './effects-history.ts'
import type { EventLoop } from './event-loop.ts'
import { showLive } from './live-metrics.ts'
import { showPools } from './pool-metrics.ts'
import type { Readiness } from './readiness.ts'
import type { Sizes } from './sizes.ts'

export interface MetricSources {
  readonly db: Engine
  readonly eventLoop: EventLoop
  readonly sizes: Sizes
  readonly effects: EffectsHistory
  readonly readiness: Readiness
  readonly sql: OpenedSqlRunner | undefined
}

const commitBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const requestBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]

export class Metrics {
  readonly #registry = new Registry()
  readonly #tails: Gauge
  readonly #requests: Counter<'method' | 'route' | 'status'>
  readonly #durations: Histogram<'route'>
  readonly #effects: Pick<Engine, 'effects'> | undefined
  readonly #release: readonly (() => void)[]
  #openTails = 0

  constructor({ db, eventLoop, sizes, effects, readiness, sql }: MetricSources) {
    const registers = [this.#registry]
    const gauge = (name: string, help: string, value: () => number): void => {
      void new Gauge({ name, help, registers, collect: readInto(value) })
    }
    /** A count that somebody else keeps. */
    const count = (name: string, help: string, value: () => number): void => {
      void new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(value())
        },
      })
    }

    gauge(
      'tidemark_queue_operations',
      'Operations accepted and not yet committed.',
      () => db.stats().queued.operations,
    )
    gauge('tidemark_queue_bytes', 'The same in bytes, two a character.', () => db.stats().queued.bytes)
    gauge(
      'tidemark_oldest_pending_seconds',
      'For how long the oldest of them waits.',
      () => db.stats().queued.oldestMs / 1_000,
    )
    gauge('tidemark_queue_full', '1 while the queue takes no more.', () => Number(db.isFull))
    gauge('tidemark_in_flight_batches', 'Batches sent and not yet settled.', () => db.stats().inFlight)
    gauge('tidemark_ready', '1 while the server takes writes.', () =>
      Number(readiness.reasons().length === 0),
    )
    count('tidemark_operations_total', 'Operations committed.', () => db.stats().committed.operations)
    count('tidemark_batches_total', 'Batches committed.', () => db.stats().committed.batches)
    count('tidemark_rejections_total', 'Operations that the database refused.', () => db.stats().rejected)
    count('tidemark_retries_total', 'Batches that were tried again.', () => db.stats().retries)
    count(
      'tidemark_transactions_total',
      'How often the write lock was taken.',
      () => db.stats().transactions.count,
    )
    gauge(
      'tidemark_longest_transaction_seconds',
      'The longest that it was held.',
      () => db.stats().transactions.longestMs / 1_000,
    )
    gauge('tidemark_dead_letters', 'Dead letters in the database.', () => sizes.latest.deadLetters)
    gauge(
      'tidemark_logs_unindexed',
      'Log entries that the search has not reached.',
      () => sizes.latest.logs?.unindexed ?? 0,
    )
    gauge('tidemark_database_bytes', 'Size of the database.', () => sizes.latest.databaseBytes)
    gauge(
      'tidemark_database_free_bytes',
      'Of it, what new rows will fill first.',
      () => sizes.latest.freeBytes,
    )
    gauge('tidemark_wal_bytes', 'Size of the write-ahead log.', () => db.stats().store.walBytes)
    count(
      'tidemark_checkpoints_total',
      'How often the log was copied back.',
      () => db.stats().store.checkpoints,
    )
    gauge(
      'tidemark_event_loop_p99_seconds',
      'Delay of the event loop in the last second.',
      () => eventLoop.latest.p99Ms / 1_000,
    )
    gauge(
      'tidemark_event_loop_max_seconds',
      'The longest of the last second.',
      () => eventLoop.latest.maxMs / 1_000,
    )
    gauge('process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss())
    gauge('nodejs_heap_size_used_bytes', 'Of it, what JavaScript uses.', () => process.memoryUsage().heapUsed)
    showLive(this.#registry, db)
    if (db.stats().store.readers) showPools(this.#registry, db)
    if (effects.isSupported) {
      this.#effects = db
      showEffects(this.#registry, db, effects)
    }
    if (sql) {
      count('tidemark_sql_runs_total', 'Queries of clients that were run.', () => sql.stats().runs)
      count('tidemark_sql_kills_total', 'Of them, those that were ended by force.', () => sql.stats().kills)
      gauge('tidemark_sql_running', 'Queries of clients that run.', () => sql.stats().running)
      gauge('tidemark_sql_waiting', 'Queries of clients that wait for their turn.', () => sql.stats().waiting)
    }

    const commits = new Histogram({
      name: 'tidemark_commit_seconds',
      help: 'From sending a batch to its being committed.',
      buckets: commitBuckets,
      registers,
    })
    const backpressure = new Counter({
      name: 'tidemark_backpressure_total',
      help: 'How often the queue became full.',
      registers,
    })
    const alerts = new Counter({
      name: 'tidemark_alerts_total',
      help: 'How often the engine said that somebody should look, by what it said.',
      labelNames: ['kind'] as const,
      registers,
    })
    const reads = new Counter({
      name: 'tidemark_reads_total',
      help: 'Reads, by level and by what came of them.',
      labelNames: ['level', 'outcome'] as const,
      registers,
    })
    this.#tails = new Gauge({ name: 'tidemark_tails', help: 'Clients that follow the log.', registers })
    this.#requests = new Counter({
      name: 'tidemark_http_requests_total',
      help: 'Requests answered.',
      labelNames: ['method', 'route', 'status'] as const,
      registers,
    })
    this.#durations = new Histogram({
      name: 'tidemark_http_request_seconds',
      help: 'From the headers of a request to the end of its answer.',
      labelNames: ['route'] as const,
      buckets: requestBuckets,
      registers,
    })
    this.#release = [
      db.on('commit', ({ durationMs }) => commits.observe(durationMs / 1_000)),
      db.on('backpressure', ({ isFull }) => isFull && backpressure.inc()),
      db.on('alert', ({ kind }) => alerts.inc({ kind })),
      db.on('consistency', ({ level, outcome }) => reads.inc({ level, outcome })),
    ]
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    const text = await this.#registry.metrics()
    return this.#effects === undefined ? text : `${text}\n${callDurations(this.#effects)}`
  }

  get tails(): number {
    return this.#openTails
  }

  /** @returns what ends it */
  openTail(): () => void {
    this.#tails.set(++this.#openTails)
    return () => this.#tails.set(--this.#openTails)
  }

  answered(method: string, route: string, status: number, ms: number): void {
    this.#requests.inc({ method, route, status })
    this.#durations.observe({ route }, ms / 1_000)
  }

  stop(): void {
    for (const release of this.#release) release()
  }
}

function readInto(value: () => number): (this: Gauge) => void {
  return function collect() {
    this.set(value())
  }
}
