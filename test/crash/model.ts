/**
 * What a database must hold after its writers were killed: the planned operations of every epoch up to its tidemark,
 * each exactly once, in order, and nothing else.
 */
import { inspect, isDeepStrictEqual } from 'node:util'
import type { Looks } from './place.ts'
import { plan, source, type LatestRow, type Operation, type Planned, type Row } from './workload.ts'

interface Replayed {
  readonly rows: readonly Row[]
  /** The positions that are in the dead letters instead. */
  readonly rejected: readonly number[]
}

interface Ended {
  readonly epoch: number
  readonly watermark: number
}

/** A database that does not hold what it must, or a writer that said what is not so. */
export class Violation extends Error {}

export class Model {
  readonly #seed: number
  /** The epochs that have ended, with their final tidemarks. */
  readonly #ended: Ended[] = []
  readonly #latest = new Map<string, LatestRow>()
  readonly #counters = new Map<string, { n: number; version: number }>()
  /** Whether the last epoch was closed when its writer had ended: one killed in its opening leaves that as it is. */
  #isClosed: unknown
  #checkpoint: number | undefined
  #rowCount = 0
  #letterCount = 0

  constructor(seed: number) {
    this.#seed = seed
    for (let counter = 0; counter < 5; counter++)
      this.#counters.set(`counter${counter}`, { n: 0, version: 0 })
  }

  /** The versions of the counters, as the next writer has to know them for its guards. */
  get versions(): string {
    return JSON.stringify(Object.fromEntries([...this.#counters].map(([key, { version }]) => [key, version])))
  }

  /**
   * A writer has ended, by a kill or by `close`: replays its epoch up to the tidemark and compares the database.
   *
   * @param lines what the writer said
   * @returns the tidemark it ended with, 0 when it was killed before it had an epoch
   */
  async endEpoch(looks: Looks, lines: readonly string[]): Promise<number> {
    const found = await this.#checkWriters(looks, lines)
    if (found === undefined) {
      await this.#checkRows(looks, 0, undefined)
      return 0
    }
    const { epoch, watermark } = found
    const replayed = this.#replay(epoch, watermark)
    this.#ended.push(found)
    checkAcknowledged(lines, watermark, new Set(replayed.rejected))
    await this.#checkRows(looks, epoch, replayed)
    return watermark
  }

  /**
   * Earlier epochs stand where they stood, and all but the newest are closed; the newest is, if it ended in peace.
   *
   * @returns the writer's own epoch and its tidemark, if it had begun one
   */
  async #checkWriters(looks: Looks, lines: readonly string[]): Promise<Ended | undefined> {
    // The first opening makes the table, with its epoch, or it is killed before.
    const own =
      "SELECT epoch, watermark, closed FROM tidemark_writers WHERE writer = 'crashing' ORDER BY epoch"
    const found = ((await looks.hasTable('tidemark_writers')) ? await looks.rows(own) : []).map(
      ({ epoch, watermark, closed }) => ({ epoch: Number(epoch), watermark: Number(watermark), closed }),
    )
    const hasBegun = found.length > this.#ended.length
    const ready = lines.find((line) => line.startsWith('ready '))
    if (ready !== undefined)
      same('the epoch of the writer that was ready', hasBegun && `ready ${found.at(-1)?.epoch}`, ready)
    if (lines.includes('closed')) same('the epoch of a writer that had closed', found.at(-1)?.closed, 1)
    else if (!lines.includes('closing') && hasBegun)
      same('the epoch of a writer that was not closing', found.at(-1)?.closed, 0)
    const before = hasBegun ? found.slice(0, -1) : found
    same(
      'the epochs before',
      before.map(({ epoch, watermark }) => ({ epoch, watermark })),
      this.#ended,
    )
    same(
      'those but the last are closed',
      found.slice(0, -1).every(({ closed }) => closed === 1),
      true,
    )
    if (hasBegun) this.#isClosed = found.at(-1)?.closed
    else same('whether the last epoch is closed', found.at(-1)?.closed, this.#isClosed)
    const last = found.at(-1)
    return hasBegun && last ? { epoch: last.epoch, watermark: last.watermark } : undefined
  }

  #replay(epoch: number, tidemark: number): Replayed {
    const rows: Row[] = []
    const rejected: number[] = []
    for (const { first, last, operation } of plannedUpTo(this.#seed, epoch, tidemark)) {
      if (last > tidemark)
        throw new Violation(`tidemark ${tidemark} is inside the operation at ${first} to ${last}`)
      const bad = rejectionsOf(first, operation)
      rejected.push(...bad)
      if (operation.kind === 'load') {
        this.#checkpoint = last
        rows.push(...operation.rows.filter(({ seq }) => !bad.includes(seq)))
      } else if (bad.length === 0) {
        rows.push(...this.#apply(operation))
      }
    }
    this.#rowCount += rows.length
    this.#letterCount += rejected.length
    return { rows, rejected }
  }

  #apply(operation: Exclude<Operation, { kind: 'load' }>): readonly Row[] {
    switch (operation.kind) {
      case 'row':
        return [operation.row]
      case 'group':
        this.#counter(operation.key).n++
        return operation.rows
      case 'increment':
        this.#counter(operation.key).n++
        return []
      case 'guard':
        this.#counter(operation.key).version++
        return []
      case 'upsert':
        this.#latest.set(operation.row.key, operation.row)
        return []
    }
  }

  #counter(key: string): { n: number; version: number } {
    const counter = this.#counters.get(key)
    if (counter === undefined) throw new Error(`no ${key}`)
    return counter
  }

  async #checkRows(looks: Looks, epoch: number, replayed: Replayed | undefined): Promise<void> {
    const all = (sql: string) => looks.rows(sql)
    if (replayed) {
      const found = await all(`SELECT epoch, seq, part, payload FROM rows WHERE epoch = ${epoch} ORDER BY id`)
      // The first row that differs tells more than a difference of thousands.
      const differs = found.findIndex(
        (row, index) => JSON.stringify(row) !== JSON.stringify(replayed.rows[index]),
      )
      if (differs >= 0) same(`row ${differs} of epoch ${epoch}`, found[differs], replayed.rows[differs])
      same(`rows of epoch ${epoch}`, found.length, replayed.rows.length)
      const letters = await all(`SELECT seq FROM tidemark_dead_letters WHERE epoch = ${epoch} ORDER BY id`)
      same(
        `dead letters of epoch ${epoch}`,
        letters.map(({ seq }) => seq),
        replayed.rejected,
      )
    }
    same('rows of all epochs', await all('SELECT count(*) AS n FROM rows'), [{ n: this.#rowCount }])
    same(
      'the latest rows',
      await all('SELECT * FROM latest ORDER BY key'),
      [...this.#latest.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    )
    same(
      'counters',
      await all('SELECT * FROM counters ORDER BY key'),
      [...this.#counters].map(([key, counter]) => ({ key, ...counter })),
    )
    if (this.#ended.length === 0) return
    same(
      'checkpoints',
      await all('SELECT source, value FROM tidemark_checkpoints'),
      this.#checkpoint === undefined ? [] : [{ source, value: String(this.#checkpoint) }],
    )
    same('dead letters of all epochs', await all('SELECT count(*) AS n FROM tidemark_dead_letters'), [
      { n: this.#letterCount },
    ])
  }
}

function* plannedUpTo(seed: number, epoch: number, tidemark: number): Generator<Planned> {
  for (const planned of plan(seed, epoch)) {
    if (planned.first > tidemark) return
    yield planned
  }
}

/** The positions of an operation that the store must refuse. */
function rejectionsOf(first: number, operation: Operation): number[] {
  switch (operation.kind) {
    case 'row':
      return operation.row.payload === 'poison' ? [first] : []
    case 'group':
      return operation.rows.some(({ payload }) => payload === 'poison') ? [first] : []
    case 'guard':
      return operation.isStale ? [first] : []
    case 'load':
      return operation.rows.filter(({ payload }) => payload === 'poison').map(({ seq }) => seq)
    case 'upsert':
    case 'increment':
      return []
  }
}

/** What was acknowledged is in the file, as it was acknowledged. */
function checkAcknowledged(lines: readonly string[], tidemark: number, rejected: ReadonlySet<number>): void {
  for (const line of lines) {
    // One without its full stop was cut off by the kill.
    const said = /^acknowledged (.+)\.$/.exec(line)?.[1]
    for (const acknowledgement of said?.split(',') ?? []) {
      const [kind, position] = acknowledgement.split(' ')
      const seq = Number(position)
      if (kind === 'abandoned') throw new Violation(`position ${seq} was abandoned`)
      if (seq > tidemark)
        throw new Violation(`position ${seq} was acknowledged, and the tidemark is ${tidemark}`)
      // A load is committed even when its last row was rejected.
      if (kind === 'rejected' && !rejected.has(seq))
        throw new Violation(`position ${seq} was said to be rejected, and is not`)
    }
  }
}

/** @throws Violation, with both */
export function same(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return
  throw new Violation(`${what}: found ${inspect(found)}, expected ${inspect(expected)}`)
}
