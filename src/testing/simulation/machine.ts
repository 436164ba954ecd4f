/**
 * The machine that holds the database: what is committed and, apart from it, what would survive a power loss. It looks
 * into the database after every commit, past the code that is tested.
 */
import { DatabaseSync } from 'node:sqlite'
import type { WriterName } from '../../contracts/position.ts'
import type { Store } from '../../contracts/store.ts'
import { MemoryStore } from '../../stores/memory/store.ts'
import { openEpoch } from '../../stores/sqlite/bookkeeping.ts'
import { FaultyDatabase } from './faulty-database.ts'
import type { Faults } from './faults.ts'

/** The tables of a world, and what there is to see in them. */
export interface Schema<C> {
  readonly sql: string
  /** Those that others refer to come first. */
  readonly tables: readonly string[]
  readonly lookInto: (database: FaultyDatabase) => Looks<C>
}

export interface Looks<C> {
  atEverything(): C
  /** What only grows is told as far as it is new. */
  atWhatIsNew(): C
}

export interface MachineEvents<C> {
  onCommitted(contents: C): void
  onWentBack(contents: C, byPowerLoss: boolean): void
  /** The process whose statement runs dies inside of it. */
  onDeath(): void
}

export class Machine<C> {
  readonly store: Store
  readonly #database: FaultyDatabase
  readonly #schema: Schema<C>
  readonly #events: MachineEvents<C>
  readonly #look: Looks<C>
  #durable: Uint8Array | undefined
  #backup: Uint8Array | undefined

  constructor(schema: Schema<C>, faults: Faults, events: MachineEvents<C>) {
    this.#schema = schema
    this.#events = events
    this.#database = takeEmpty(schema)
    this.#database.use(faults, {
      onCommitted: () => events.onCommitted(this.#look.atWhatIsNew()),
      onDeath: () => events.onDeath(),
    })
    this.store = new MemoryStore(this.#database, '', 'sync')
    this.#look = schema.lookInto(this.#database)
  }

  /** What is committed now survives a power loss. */
  sync(): void {
    this.#durable = this.#database.serialize()
  }

  lookAgain(): C {
    return this.#look.atEverything()
  }

  backUp(): void {
    if (!this.#database.isTransaction) this.#backup = this.#database.serialize()
  }

  /** @returns false when there is no backup, or a transaction is under way */
  restore(): boolean {
    if (!this.#backup || this.#database.isTransaction) return false
    this.#goBackTo(this.#backup, false)
    this.#durable = this.#backup
    return true
  }

  losePower(): void {
    this.#goBackTo(this.#durable, true)
  }

  close(): void {
    this.#database.use(undefined, undefined)
    if (this.#database.isTransaction) this.#database.execUnfailing('ROLLBACK')
    giveBack(this.#schema, this.#database)
  }

  /** Row by row, as the backup function of SQLite does it page by page: who has the database open notices nothing. */
  #goBackTo(image: Uint8Array | undefined, byPowerLoss: boolean): void {
    const database = this.#database
    database.execUnfailing('PRAGMA foreign_keys = OFF')
    database.execUnfailing('BEGIN')
    empty(database, this.#schema)
    if (image) copy(image, database, this.#schema)
    database.execUnfailing('COMMIT')
    database.execUnfailing('PRAGMA foreign_keys = ON')
    this.#events.onWentBack(this.#look.atEverything(), byPowerLoss)
  }
}

function copy(image: Uint8Array, into: FaultyDatabase, schema: Schema<unknown>): void {
  const from = new DatabaseSync(':memory:')
  from.deserialize(image)
  for (const name of namesOf(schema)) {
    const rows = from.prepare(`SELECT * FROM ${name}`).all()
    const [first] = rows
    if (!first) continue
    const columns = Object.keys(first)
    const insert = into.prepareUnfailing(
      `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
    for (const row of rows) insert.run(...Object.values(row))
  }
  from.close()
}

const bookkeeping = [
  'tidemark_writers',
  'tidemark_database',
  'tidemark_dead_letters',
  'tidemark_checkpoints',
  'tidemark_segments',
  'tidemark_kinds',
  'tidemark_lanes',
  'tidemark_effects',
  'tidemark_results',
  'sqlite_sequence',
]

function namesOf({ tables }: Schema<unknown>): readonly string[] {
  return [...tables, ...bookkeeping]
}

function empty(database: FaultyDatabase, schema: Schema<unknown>): void {
  for (const name of namesOf(schema).toReversed()) database.prepareUnfailing(`DELETE FROM ${name}`).run()
}

/** Databases that a history has done with: to make the tables anew for each takes longer than the history. */
const spare = new Map<Schema<unknown>, FaultyDatabase[]>()

function giveBack(schema: Schema<unknown>, database: FaultyDatabase): void {
  spare.set(schema, [...(spare.get(schema) ?? []), database])
}

/** With the tables, and those of the bookkeeping. */
function takeEmpty(schema: Schema<unknown>): FaultyDatabase {
  const database = spare.get(schema)?.pop() ?? make(schema)
  empty(database, schema)
  return database
}

function make({ sql }: Schema<unknown>): FaultyDatabase {
  const database = new FaultyDatabase()
  database.exec(sql)
  // As a file is by default: what is committed survives a power loss once it is synced.
  database.exec('PRAGMA synchronous = NORMAL')
  const newIdentity = { id: '', secret: '' }
  openEpoch(database, { writer: '' as WriterName, leaseMs: 0, nowMs: 0, epochStep: 1, newIdentity })
  return database
}
