/**
 * Reads of servers that follow the database: each some way behind, none always there.
 *
 * Keeps: law 6. The query runs in the very snapshot whose tidemarks hold what is required, begun when the log had been
 * replayed to the position that is required. How far it was replayed when the query had been answered is behind
 * nothing that it shows, but for the one record that is being replayed at that moment.
 *
 * How it could break: a server that follows no more shows what it had when it stopped, for ever. So one that was
 * promoted, is of another database, or is still in the history before a failover, is passed over.
 *
 *   in turn ──asked──▶ fresh: answer
 *      ▲ │      ├─behind: the next one
 *      │ │      └─not there, or in conflict with what it replays──▶ resting, the next one
 *      └─┴────────────────────────────────a while later─────────────────┘
 */
import type { LogPosition, Mark } from '../../contracts/position.ts'
import type { Runtime, Timer } from '../../contracts/runtime.ts'
import type { ReplicaSnapshot, ReplicaStats, Replicas, SqlQuery } from '../../contracts/store.ts'
import type { Patience } from '../../contracts/wait.ts'
import { StoreError, unprefixed } from '../../errors.ts'
import { messageOf } from '../../sql/failure.ts'
import { holds } from '../../sql/bookkeeping.ts'
import { checkRead } from '../../sql/guard.ts'
import { Connection } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import { covers, positionOf, standbyPosition, standbyReplayed } from './log-position.ts'
import type { PostgresSettings } from './options.ts'
import { ConnectionPool, storeClosed } from './pool.ts'
import { runInSnapshot, type Bookkeeping } from './reading.ts'

/** So long one that failed is left alone, while there are others to ask; longer each time it fails again. */
const firstRestMs = 1_000
const longestRestMs = 30_000
/** So long a server has to say how far it is, also over a new connection; a read with less time gives it less. */
const answerMs = 1_000
const leastAnswerMs = 100

/** Its own statement was at fault or took too long: another replica would say the same. */
const statementTimeout = '57014'

interface Replica {
  readonly name: string
  readonly pool: ConnectionPool
  restsUntilMs: number
  restMs: number
  trouble: string | undefined
}

/** What is asked of whichever replica answers. */
interface Wanted {
  readonly query: SqlQuery
  readonly required: readonly Mark[]
  readonly position: LogPosition | undefined
}

export interface ReplicasContext {
  readonly settings: PostgresSettings
  readonly runtime: Runtime
  /** The database's own. */
  readonly identity: string
  /** Where the writer writes. */
  readonly primaryPosition: (patience?: Patience) => Promise<LogPosition>
}

export class StreamingReplicas implements Replicas {
  readonly waitMs: number
  readonly fallBack: boolean
  readonly #context: ReplicasContext
  readonly #replicas: readonly Replica[]
  #turn = 0
  /** Of the newest history that is known. */
  #timeline = 0
  #isClosed = false

  constructor(context: ReplicasContext) {
    const { settings, runtime } = context
    this.waitMs = settings.replicaWaitMs
    this.fallBack = settings.replicaFallback === 'primary'
    this.#context = context
    this.#replicas = settings.replicas.map((url) => ({
      name: new URL(url).host,
      pool: new ConnectionPool(
        () => Connection.open(url, settings, runtime, 'read'),
        settings.readers,
        runtime,
      ),
      restsUntilMs: 0,
      restMs: firstRestMs,
      trouble: undefined,
    }))
  }

  async position(patience?: Patience): Promise<LogPosition> {
    const position = await this.#context.primaryPosition(patience)
    this.#timeline = Math.max(this.#timeline, position.timeline)
    return position
  }

  async snapshot(
    query: SqlQuery,
    required: readonly Mark[],
    position: LogPosition | undefined,
    patience: Patience,
  ): Promise<ReplicaSnapshot> {
    checkRead(postgresDialect, query.sql)
    // Of what was read in the new history nothing is in the old one.
    this.#timeline = Math.max(this.#timeline, position?.timeline ?? 0)
    let behind: ReplicaSnapshot | undefined
    for (const replica of this.#inTurn()) {
      const found = await this.#ask(replica, { query, required, position }, patience)
      if (found?.result) return found
      behind = found ?? behind
    }
    if (this.#isClosed) throw storeClosed()
    if (behind) return behind
    const troubles = this.#replicas.map(({ name, trouble }) => `${name}: ${trouble ?? 'not asked'}`)
    throw new StoreError('transient', `no replica can be read (${troubles.join('; ')})`)
  }

  stats(): ReplicaStats[] {
    return this.#replicas.map(({ name, trouble, pool }) => ({ name, trouble, readers: pool.stats() }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#replicas.map(({ pool }) => pool.close()))
  }

  abandon(): void {
    for (const { pool } of this.#replicas) pool.abandon()
  }

  /** Each read begins with another one. Those that rest are asked only where nothing else can be. */
  #inTurn(): readonly Replica[] {
    const first = this.#turn++ % this.#replicas.length
    const turns = [...this.#replicas.slice(first), ...this.#replicas.slice(0, first)]
    const nowMs = this.#context.runtime.monotonicMs()
    const rested = turns.filter(({ restsUntilMs }) => restsUntilMs <= nowMs)
    return rested.length === 0 && !this.fallBack ? turns : rested
  }

  /** @returns undefined where it cannot be read */
  async #ask(replica: Replica, wanted: Wanted, patience: Patience): Promise<ReplicaSnapshot | undefined> {
    const { runtime } = this.#context
    const ms = Math.min(Math.max(answerMs, this.waitMs), patience.leftMs)
    const late = new Lateness(runtime, Math.max(leastAnswerMs, ms))
    try {
      const reading = replica.pool.use(async (connection) => {
        late.lets(connection)
        return await this.#snapshotOn(connection, replica.name, wanted, () => late.isOver())
      }, late.within(patience))
      const found = await late.orElse(reading)
      replica.trouble = undefined
      replica.restMs = firstRestMs
      return found
    } catch (error) {
      if (!(error instanceof StoreError) || this.#isClosed) throw error
      if (error.failure === 'rejected' || error.storeCode === statementTimeout) throw error
      replica.trouble = unprefixed(messageOf(error))
      replica.restsUntilMs = runtime.monotonicMs() + replica.restMs
      replica.restMs = Math.min(2 * replica.restMs, longestRestMs)
      return undefined
    } finally {
      late.isOver()
    }
  }

  async #snapshotOn(
    connection: Connection,
    replica: string,
    { query, required, position }: Wanted,
    answered: () => void,
  ): Promise<ReplicaSnapshot> {
    const { before, taken, after } = connection.together(() => {
      const place = connection.query(standbyPosition)
      const isFresh = async ({ tidemarks }: Bookkeeping): Promise<boolean> =>
        holds(tidemarks, required) && (position === undefined || covers(positionOf(await place), position))
      const needsLook = required.length > 0 || position !== undefined
      return {
        // The snapshot begins behind it, and holds at least this much.
        before: place,
        taken: runInSnapshot(connection, query, required, needsLook ? isFresh : undefined),
        after: connection.query(standbyReplayed),
      }
    })
    before.then(answered, answered)
    after.catch(() => undefined)
    try {
      const { database, ...snapshot } = await taken
      const began = await before
      const shown = { ...positionOf(began), lsn: positionOf(await after).lsn }
      this.#requireFollowing(Number(began.rows[0]?.['standby']) === 1, database, shown)
      return { ...snapshot, replica, shown }
    } catch (error) {
      // What it says of our own statements is about itself: it may not even have the tables.
      if (error instanceof StoreError) throw error
      throw new StoreError('transient', messageOf(error), { cause: error })
    }
  }

  #requireFollowing(isStandby: boolean, database: string, { timeline }: LogPosition): void {
    if (!isStandby) throw notFollowing('it is no standby, but takes writes itself')
    if (database !== this.#context.identity) throw notFollowing('it holds another database')
    if (timeline < this.#timeline)
      throw notFollowing(`it is in timeline ${timeline}, before a failover to ${this.#timeline}`)
  }
}

/** What has not answered for too long is let go, with the connection that it keeps. */
class Lateness {
  readonly #late = Promise.withResolvers<never>()
  readonly #timer: Timer
  #connection: Connection | undefined

  constructor(runtime: Runtime, ms: number) {
    this.#late.promise.catch(() => undefined)
    this.#timer = runtime.after(ms, () => {
      this.#late.reject(new StoreError('transient', `it did not answer within ${ms} ms`))
      this.#connection?.destroy()
    })
  }

  lets(connection: Connection): void {
    this.#connection = connection
  }

  within(patience: Patience): Patience {
    return {
      leftMs: patience.leftMs,
      wait: ({ done, cancel }, what) => {
        const orLate = this.orElse(done).catch((error: unknown) => {
          cancel()
          throw error
        })
        return patience.wait({ done: orLate, cancel }, what)
      },
    }
  }

  orElse<T>(answer: Promise<T>): Promise<T> {
    return Promise.race([answer, this.#late.promise])
  }

  isOver(): void {
    this.#timer.cancel()
  }
}

function notFollowing(why: string): StoreError {
  return new StoreError('transient', why, {
    hint: 'Give `replicas` the addresses of standbys that follow this database.',
  })
}
