/** The measurements, one after another, each for a share of the time there is. */
import { QueueFullError } from '../../errors.ts'
import { open, type Tidemark } from '../../tidemark.ts'
import type { OpenOptions } from '../../writes/options.ts'
import type { Place } from './place.ts'
import { latencyOf, type Latency } from './latency.ts'

export interface Rate {
  readonly perSecond: number
}

export interface Measured {
  /** A statement that does nothing, on a connection of its own. */
  readonly roundTrip: Latency
  /** A row in a transaction of its own, without an engine: what a commit takes. */
  readonly commit: Latency
  /** The same where the commit is not waited for; null where there is no such thing. */
  readonly unawaitedCommit: Latency | null
  /** An engine's `await db.insert()`, one after another. */
  readonly insert: Latency
  /** So many callers at once, each awaiting its insert. */
  readonly callers: readonly (Latency & Rate & { readonly callers: number })[]
  /** As many inserts as it takes, nobody waiting for a single one. */
  readonly batches: readonly (Rate & { readonly maxOperations: number })[]
  /** Rows by their key, by pools of this size, until they grow no more. */
  readonly reads: readonly (Latency & Rate & { readonly readers: number })[]
}

type Tables = Record<string, Record<string, unknown>>
type Engine = Tidemark<Tables>

/** 200 bytes of text, so that a row takes about 250. */
const text = 'x'.repeat(200)
const callerCounts = [1, 16, 256]
const batchSizes = [100, 250, 500, 1_000, 2_000]
const poolSizes = [1, 2, 5, 10, 20]
/** What is asked of a larger pool before the next one is tried. */
const growth = 1.1
/** Of each measurement, what passes before it counts. */
const warmUpShare = 0.2
const shares = 4 + callerCounts.length + batchSizes.length + poolSizes.length
const rowsToRead = 10_000

export interface Bench {
  readonly place: Place
  readonly seconds: number
  readonly signal: AbortSignal
  /** Told before each measurement. */
  readonly say: (text: string) => void
}

/** @throws the signal's reason; what the database fails with */
export async function measure({ place, seconds, signal, say }: Bench): Promise<Measured> {
  const shareMs = (seconds * 1_000) / shares
  const during = new Share(shareMs, signal)

  const bare = async (isAsynchronous: boolean, what: 'ask' | 'insert'): Promise<Latency | null> => {
    await using connection = await place.bare(isAsynchronous)
    if (connection === undefined) return null
    return await during.timed(1, () => (what === 'ask' ? connection.ask() : connection.insert(text)))
  }
  const callersOf = async (db: Engine, callers: number) => ({
    callers,
    ...(await during.timed(callers, async () => void (await db.insert('rows', { text })))),
  })

  say('round trip and commit')
  const roundTrip = (await bare(false, 'ask')) as Latency
  const commit = (await bare(false, 'insert')) as Latency
  const unawaitedCommit = await bare(true, 'insert')

  say('awaited inserts')
  const { insert, callers } = await withEngine(place, {}, async (db) => {
    const alone = await callersOf(db, 1)
    const rest = []
    for (const count of callerCounts.slice(1)) rest.push(await callersOf(db, count))
    return { insert: alone, callers: [alone, ...rest] }
  })

  const batches = []
  for (const maxOperations of batchSizes) {
    say(`batches of ${maxOperations.toLocaleString('en-US')}`)
    const perSecond = await withEngine(place, { batch: { maxOperations } }, (db) => during.filled(db))
    batches.push({ maxOperations, perSecond })
  }

  const reads: (Latency & Rate & { readers: number })[] = []
  for (const readers of poolSizes) {
    say(`${readers} ${readers === 1 ? 'reader' : 'readers'}`)
    const before = reads.at(-1)
    const result = await readsBy(place, readers, during)
    reads.push(result)
    if (before !== undefined && result.perSecond < before.perSecond * growth) break
  }
  return {
    roundTrip,
    commit,
    unawaitedCommit,
    insert: { p50Ms: insert.p50Ms, p99Ms: insert.p99Ms },
    callers,
    batches,
    reads,
  }
}

async function readsBy(place: Place, readers: number, during: Share) {
  const db = await open<Tables>(place.store(readers))
  try {
    let n = 0
    const read = async (): Promise<void> => {
      n = (n + 7_919) % rowsToRead
      const query = db.read('eventual').selectFrom('rows').select(['id', 'text'])
      await query.where('id', '=', n + 1).execute()
    }
    // Twice as many callers as connections, so that none of these is ever idle. They are made first.
    await Promise.all(Array.from({ length: 2 * readers }, read))
    const result = await during.timed(2 * readers, read)
    return { readers, ...result }
  } finally {
    await db.close()
  }
}

async function withEngine<T>(
  place: Place,
  options: OpenOptions,
  work: (db: Engine) => Promise<T>,
): Promise<T> {
  const db = await open<Tables>(place.store(), options)
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

/** One measurement's share of the time. */
class Share {
  readonly #ms: number
  readonly #signal: AbortSignal

  constructor(ms: number, signal: AbortSignal) {
    this.#ms = ms
    this.#signal = signal
  }

  /** So many loops of `work` at once; each run of it is timed. */
  async timed(loops: number, work: () => Promise<void>): Promise<Latency & Rate> {
    const startMs = performance.now()
    const countedFromMs = startMs + warmUpShare * this.#ms
    const endMs = startMs + this.#ms
    const times: number[] = []
    const loop = async (): Promise<void> => {
      for (let nowMs = performance.now(); nowMs < endMs || times.length === 0;) {
        this.#signal.throwIfAborted()
        await work()
        const doneMs = performance.now()
        if (doneMs >= countedFromMs) times.push(doneMs - nowMs)
        nowMs = doneMs
      }
    }
    await Promise.all(Array.from({ length: loops }, loop))
    const perSecond = times.length / Math.max(0.001, (performance.now() - countedFromMs) / 1_000)
    return { ...latencyOf(times), perSecond: Math.round(perSecond) }
  }

  /** Inserts as fast as the queue takes them. @returns rows a second, committed */
  async filled(db: Engine): Promise<number> {
    const fill = async (untilMs: number): Promise<number> => {
      let rows = 0
      while (performance.now() < untilMs) {
        this.#signal.throwIfAborted()
        try {
          for (let n = 0; n < 100; n++, rows++) db.insert('rows', { text })
        } catch (error) {
          if (!(error instanceof QueueFullError)) throw error
          await db.ready()
        }
      }
      await db.flush()
      return rows
    }
    await fill(performance.now() + warmUpShare * this.#ms)
    const startMs = performance.now()
    const rows = await fill(startMs + (1 - warmUpShare) * this.#ms)
    return Math.round(rows / ((performance.now() - startMs) / 1_000))
  }
}
