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
import type { Contents } from './history.ts'
import { Look } from './look.ts'

const tables = `
  CREATE TABLE cells (key TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0));
  CREATE TABLE results (key TEXT PRIMARY KEY, of INTEGER NOT NULL);
  CREATE TABLE log (id INTEGER PRIMARY KEY, write INTEGER NOT NULL CHECK (write > 0));`
const links = `
  CREATE TABLE links (id INTEGER PRIMARY KEY, write INTEGER NOT NULL,
    cell TEXT NOT NULL REFERENCES cells (key) DEFERRABLE INITIALLY DEFERRED);`

export interface MachineEvents {
  onCommitted(contents: Contents): void
  onWentBack(contents: Contents, byPowerLoss: boolean): void
  /** The process whose statement runs dies inside of it. */
  onDeath(): void
}

export class Machine {
  readonly store: Store
  readonly #database: FaultyDatabase
  readonly #hasLinks: boolean
  readonly #events: MachineEvents
  readonly #look: Look
  #durable: Uint8Array | undefined
  #backup: Uint8Array | undefined

  constructor(hasLinks: boolean, faults: Faults, events: MachineEvents) {
    this.#hasLinks = hasLinks
    this.#events = events
    this.#database = takeEmpty(hasLinks)
    this.#database.use(faults, {
      onCommitted: () => events.onCommitted(this.#look.atWhatIsNew()),
      onDeath: () => events.onDeath(),
    })
    this.store = new MemoryStore(this.#database, '', 'sync')
    this.#look = new Look(this.#database, hasLinks)
  }

  /** What is committed now survives a power loss. */
  sync(): void {
    this.#durable = this.#database.serialize()
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
    giveBack(this.#hasLinks, this.#database)
  }

  /** Row by row, as the backup function of SQLite does it page by page: who has the database open notices nothing. */
  #goBackTo(image: Uint8Array | undefined, byPowerLoss: boolean): void {
    const database = this.#database
    database.execUnfailing('PRAGMA foreign_keys = OFF')
    database.execUnfailing('BEGIN')
    empty(database, this.#hasLinks)
    if (image) copy(image, database, this.#hasLinks)
    database.execUnfailing('COMMIT')
    database.execUnfailing('PRAGMA foreign_keys = ON')
    this.#events.onWentBack(this.#look.atEverything(), byPowerLoss)
  }
}

function copy(image: Uint8Array, into: FaultyDatabase, hasLinks: boolean): void {
  const from = new DatabaseSync(':memory:')
  from.deserialize(image)
  for (const name of namesOf(hasLinks)) {
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

const own = ['cells', 'results', 'log', 'tidemark_writers', 'tidemark_database', 'tidemark_dead_letters']

function namesOf(hasLinks: boolean): readonly string[] {
  return [...own, 'tidemark_checkpoints', 'sqlite_sequence', ...(hasLinks ? ['links'] : [])]
}

function empty(database: FaultyDatabase, hasLinks: boolean): void {
  for (const name of namesOf(hasLinks).toReversed()) database.prepareUnfailing(`DELETE FROM ${name}`).run()
}

/** Databases that a history has done with: to make the tables anew for each takes longer than the history. */
const spare = new Map<boolean, FaultyDatabase[]>()

function giveBack(hasLinks: boolean, database: FaultyDatabase): void {
  spare.set(hasLinks, [...(spare.get(hasLinks) ?? []), database])
}

/** With the tables, and those of the bookkeeping. */
function takeEmpty(hasLinks: boolean): FaultyDatabase {
  const database = spare.get(hasLinks)?.pop() ?? make(hasLinks)
  empty(database, hasLinks)
  return database
}

function make(hasLinks: boolean): FaultyDatabase {
  const database = new FaultyDatabase()
  database.exec(tables + (hasLinks ? links : ''))
  const newIdentity = { id: '', secret: '' }
  openEpoch(database, { writer: '' as WriterName, leaseMs: 0, nowMs: 0, epochStep: 1, newIdentity })
  return database
}
