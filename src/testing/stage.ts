/** What the tests of every topic need: a fresh database with an engine on it, and rows to look at. */
import { CompiledQuery } from 'kysely'
import {
  open,
  type Consistency,
  type Dialect,
  type EngineEvents,
  type OpenOptions,
  type Outcome,
  type Receipt,
  type Tidemark,
} from '../index.ts'
import { reasonOf, statementsOf, translate, type Sql } from './sql.ts'
import type { Subject, TestDatabase } from './subject.ts'

/** An engine whose tables the types do not know, so that a test may also name tables that are not there. */
export type AnyTidemark = Tidemark<Record<string, Record<string, unknown>>>
type Rows = Record<string, unknown>[]

/** So long that a test which waits for it fails: used where something else must end the linger. */
export const foreverMs: number = 2 ** 31 - 1

export class Stage implements AsyncDisposable {
  readonly db: AnyTidemark
  readonly #dialect: Dialect
  readonly #database: TestDatabase
  readonly #engines: AnyTidemark[]

  constructor(dialect: Dialect, database: TestDatabase, db: AnyTidemark) {
    this.#dialect = dialect
    this.#database = database
    this.db = db
    this.#engines = [db]
  }

  /** One more engine on the same database. */
  async open(options?: OpenOptions): Promise<AnyTidemark> {
    const engine = await open(this.#database.store, options)
    this.#engines.push(engine)
    return engine
  }

  /** What is committed once all that `db` has accepted is settled. */
  async rows(sql: Sql): Promise<Rows> {
    await this.db.flush()
    return await this.outside(sql)
  }

  /** The single value of a query with one row of one column. */
  async value(sql: Sql): Promise<unknown> {
    return Object.values((await this.rows(sql))[0] ?? {})[0]
  }

  /** What the database holds now, or what another program does to it. */
  async outside(sql: Sql): Promise<Rows> {
    let rows: Rows = []
    for (const statement of statementsOf(sql, this.#dialect)) rows = await this.#database.outside(statement)
    return rows
  }

  /** A statement to be run by an engine, in the words of its database. */
  sql(text: string): string {
    return translate(text, this.#dialect)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close({ timeoutMs: 1_000 }).catch(() => undefined)
    await this.#database.dispose()
  }
}

export async function stage(
  subject: Subject,
  schema: Sql | readonly Sql[],
  options?: OpenOptions,
): Promise<Stage> {
  const { dialect } = subject
  const database = await subject.fresh([schema].flat().flatMap((sql) => statementsOf(sql, dialect)))
  try {
    return new Stage(dialect, database, await open(database.store, options))
  } catch (error) {
    await database.dispose()
    throw error
  }
}

export async function rowsOf(db: AnyTidemark, sql: string, level: Consistency = 'strong'): Promise<Rows> {
  const { rows } = await db.read(level).executeQuery(CompiledQuery.raw(sql))
  return rows as Rows
}

/** Runs a statement on the Kysely of a read or a transaction. */
export function run(
  db: ReturnType<AnyTidemark['read']>,
  sql: string,
  parameters: unknown[] = [],
): Promise<unknown> {
  return db.executeQuery(CompiledQuery.raw(sql, parameters))
}

/**
 * Keeps the engine from committing, by a transaction that has its turn and does not end, so that what a test
 * accepts meanwhile is pending for sure. @returns what ends it.
 */
export async function pause(db: AnyTidemark): Promise<() => Promise<void>> {
  const begun = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const transaction = db.transaction(async () => {
    begun.resolve()
    await ending.promise
  })
  await Promise.race([begun.promise, transaction])
  return async () => {
    ending.resolve()
    await transaction
  }
}

/** Asks again and again, until it is so. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await turnOfTheLoop()
}

/** Records the events of one kind. */
export function record<E extends keyof EngineEvents>(db: AnyTidemark, event: E): EngineEvents[E][] {
  const events: EngineEvents[E][] = []
  db.on(event, (given) => void events.push(given))
  return events
}

/** Resolves with the next event of one kind. */
export function next<E extends keyof EngineEvents>(db: AnyTidemark, event: E): Promise<EngineEvents[E]> {
  return new Promise((resolve) => {
    const off = db.on(event, (given) => {
      off()
      resolve(given)
    })
  })
}

/** How each write ended, in a form that is easy to compare: `committed`, or why not. */
export async function endings(receipts: readonly Receipt[]): Promise<string[]> {
  const outcomes = await Promise.all(receipts.map((receipt) => receipt.outcome()))
  return outcomes.map(endingOf)
}

function endingOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'committed':
      return 'committed'
    case 'rejected':
      return reasonOf(outcome.error.storeCode)
    case 'abandoned':
      return `${outcome.error.code} ${outcome.error.outcome}`
  }
}

/** 0, 1, 2, … below `count`. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Resolves after everything that is ready now, so also after Node has told of promises that nobody handled. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
