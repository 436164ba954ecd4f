/**
 * What the fence costs: the store's own statements on its own kind of connection, sent as it sends them, two batches
 * under way; by turns with the fence and without it. The engine has no such switch, and must not have one.
 */
import type { InsertShape, Run } from '../../../src/contracts/operation.ts'
import type { Seq, WriterName } from '../../../src/contracts/position.ts'
import { systemRuntime } from '../../../src/runtime/system.ts'
import { openEpoch, type Owner } from '../../../src/sql/bookkeeping.ts'
import { Connection } from '../../../src/stores/postgres/connection.ts'
import { fence, type Hold } from '../../../src/stores/postgres/fence.ts'
import { parsePostgresOptions } from '../../../src/stores/postgres/options.ts'
import { Prepared } from '../../../src/stores/postgres/prepared.ts'
import { readSchema } from '../../../src/stores/postgres/schema.ts'
import { begin, requireCommitted, Session } from '../../../src/stores/postgres/session.ts'
import { Statements } from '../../../src/stores/postgres/statements.ts'
import type { PostgresJob, Workload } from '../../job.ts'
import { openPostgres } from '../../peers/postgres/tidemark.ts'
import { columnsOf, rowsOf } from './rows.ts'

const UNDER_WAY = 2
const WARM_PAIRS = 2
const LEAST_PAIRS = 8

export interface Fenced {
  /** Of each pair, how much longer it took with the fence: 0.03 is three percent. */
  readonly costs: readonly number[]
  readonly rowsPerSecond: { readonly fenced: number; readonly bare: number }
  readonly written: number
}

export const fenced: Workload<Fenced, PostgresJob> = async (job) => {
  const sender = await Sender.open(job)
  const batches = Math.ceil(job.rows / job.rowsPerCommit)
  const costs: number[] = []
  let [fencedMs, bareMs] = [0, 0]
  let end = 0
  for (let pair = -WARM_PAIRS; pair < LEAST_PAIRS || performance.now() < end; pair++) {
    if (pair === 0) end = performance.now() + job.roundMs
    const tookMs: [bare: number, fenced: number] = [NaN, NaN]
    // Who goes first changes, so that neither always finds what the other left behind.
    for (const isFenced of pair % 2 === 0 ? [true, false] : [false, true])
      tookMs[isFenced ? 1 : 0] = await sender.send(batches, isFenced)
    if (pair < 0) continue
    costs.push(tookMs[1] / tookMs[0] - 1)
    bareMs += tookMs[0]
    fencedMs += tookMs[1]
  }
  await sender.close()
  const rateIn = (ms: number): number => (costs.length * batches * job.rowsPerCommit) / (ms / 1_000)
  return {
    costs,
    rowsPerSecond: { fenced: rateIn(fencedMs), bare: rateIn(bareMs) },
    written: sender.written,
  }
}

class Sender {
  written = 0
  readonly #connection: Connection
  readonly #owner: Owner
  readonly #hold: Hold
  readonly #statements: Statements
  readonly #job: PostgresJob
  readonly #rows: ReturnType<typeof rowsOf>
  readonly #shape: InsertShape
  readonly #prepared = new Prepared()
  #tidemark = 0

  private constructor(connection: Connection, owner: Owner, statements: Statements, job: PostgresJob) {
    this.#connection = connection
    this.#owner = owner
    this.#hold = { connection, holder: 0 }
    this.#statements = statements
    this.#job = job
    this.#rows = rowsOf(job.table)
    const columns = columnsOf(job.table).map(({ name }) => name)
    this.#shape = { kind: 'insert', table: job.table, key: 'insert', width: columns.length, columns }
  }

  static async open(job: PostgresJob): Promise<Sender> {
    // An engine makes the tables of the bookkeeping; the epoch is this one's own.
    const engine = await openPostgres(job.url)
    await engine.close()
    const connection = await Connection.open(job.url, parsePostgresOptions(), systemRuntime)
    const session = new Session(connection)
    const writer = 'fence' as WriterName
    const request = { writer, leaseMs: 60_000, epochStep: 1, nowMs: Date.now() }
    const { epoch } = await openEpoch(session, request)
    return new Sender(connection, { writer, epoch }, new Statements(await readSchema(session)), job)
  }

  /** @returns how long it took until all are committed, in ms */
  async send(batches: number, isFenced: boolean): Promise<number> {
    const start = performance.now()
    const underWay: Promise<void>[] = []
    for (let batch = 0; batch < batches; batch++) {
      if (underWay.length === UNDER_WAY) await underWay.shift()
      underWay.push(this.#sendOne(isFenced))
    }
    await Promise.all(underWay)
    return performance.now() - start
  }

  async #sendOne(isFenced: boolean): Promise<void> {
    const { rowsPerCommit } = this.#job
    const run = this.#nextRun(rowsPerCommit)
    const prev = this.#tidemark as Seq
    if (isFenced) this.#tidemark += rowsPerCommit
    const last = this.#tidemark as Seq
    const statements = [
      { sql: begin },
      ...(isFenced ? [fence(this.#owner, this.#hold, prev, last)] : []),
      this.#statements.of(run, 0, rowsPerCommit),
      { sql: 'COMMIT' },
    ]
    const answers = await this.#connection.together(() =>
      Promise.all(statements.map((statement) => this.#connection.query(this.#prepared.named(statement)))),
    )
    const committed = answers.at(-1)
    if (committed) requireCommitted(committed)
  }

  #nextRun(count: number): Run {
    const values: Run['values'] = []
    for (let row = 0; row < count; row++) {
      const next = this.#rows.at(this.written++)
      for (const column of this.#shape.columns) values.push(next[column] as Run['values'][number])
    }
    return { kind: 'run', shape: this.#shape, count, bytes: 0, values }
  }

  close(): Promise<void> {
    return this.#connection.end()
  }
}
