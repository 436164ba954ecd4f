/**
 * The tables of the simulated world, and what is looked up in them past the engine and the store.
 *
 * Hot: it is done after every commit, so it is one statement.
 */
import type { StatementSync } from 'node:sqlite'
import type { FaultyDatabase } from './faulty-database.ts'
import type { Contents } from './history.ts'
import type { Looks, Schema } from './machine.ts'

const plain = `
  CREATE TABLE cells (key TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0));
  CREATE TABLE results (key TEXT PRIMARY KEY, of INTEGER NOT NULL);
  CREATE TABLE log (id INTEGER PRIMARY KEY, write INTEGER NOT NULL CHECK (write > 0));`
const links = `
  CREATE TABLE links (id INTEGER PRIMARY KEY, write INTEGER NOT NULL,
    cell TEXT NOT NULL REFERENCES cells (key) DEFERRABLE INITIALLY DEFERRED);`

export const plainSchema: Schema<Contents> = {
  sql: plain,
  tables: ['cells', 'results', 'log'],
  lookInto: (database) => new Look(database, false),
}

/** With a constraint that is checked at COMMIT. */
export const linkedSchema: Schema<Contents> = {
  sql: plain + links,
  tables: [...plainSchema.tables, 'links'],
  lookInto: (database) => new Look(database, true),
}

const everything = (hasLinks: boolean): string =>
  [
    "SELECT 'cells', key, n, NULL, NULL FROM cells",
    "SELECT 'results', key, of, NULL, NULL FROM results",
    ...(hasLinks ? ["SELECT 'links', write, cell, NULL, NULL FROM links"] : []),
    "SELECT 'tidemarks', epoch, watermark, closed, NULL FROM tidemark_writers",
    "SELECT 'letterIds', id, NULL, NULL, NULL FROM tidemark_dead_letters",
    "SELECT 'checkpoint', value, NULL, NULL, NULL FROM tidemark_checkpoints",
    "SELECT 'logCount', count(*), NULL, NULL, NULL FROM log",
    "SELECT * FROM (SELECT 'log', id, write, NULL, NULL FROM log WHERE id > ?1 ORDER BY id)",
    `SELECT * FROM (SELECT 'letters', id, epoch, seq, code FROM tidemark_dead_letters WHERE id > ?2 ORDER BY id)`,
  ].join(' UNION ALL ')

type Row = readonly [kind: keyof Contents, ...values: (number | string)[]]

class Look implements Looks<Contents> {
  readonly #statement: StatementSync
  #lastLog = 0
  #lastLetter = 0

  constructor(database: FaultyDatabase, hasLinks: boolean) {
    this.#statement = database.prepareUnfailing(everything(hasLinks))
    this.#statement.setReturnArrays(true)
  }

  atEverything(): Contents {
    this.#lastLog = 0
    this.#lastLetter = 0
    return this.atWhatIsNew()
  }

  atWhatIsNew(): Contents {
    const found = emptyContents()
    for (const row of this.#statement.all(this.#lastLog, this.#lastLetter) as unknown as Row[])
      add(found, row)
    this.#lastLog = found.log.at(-1)?.[0] ?? this.#lastLog
    this.#lastLetter = found.letters.at(-1)?.[0] ?? this.#lastLetter
    return found
  }
}

/** What is being put together. */
type Growing = {
  -readonly [K in keyof Contents]: Contents[K] extends readonly (infer T)[] ? T[] : Contents[K]
}

function emptyContents(): Growing {
  return {
    cells: [],
    results: [],
    links: [],
    tidemarks: [],
    log: [],
    letters: [],
    logCount: 0,
    letterIds: [],
    checkpoint: undefined,
  }
}

/** The statement says what the columns are. */
function add(into: Growing, [kind, a, b, c, d]: Row): void {
  switch (kind) {
    case 'cells':
    case 'results':
      return void into[kind].push([String(a), Number(b)])
    case 'links':
      return void into.links.push([Number(a), String(b)])
    case 'tidemarks':
      return void into.tidemarks.push([Number(a), Number(b), c === 1])
    case 'log':
      return void into.log.push([Number(a), Number(b)])
    case 'letters':
      return void into.letters.push([Number(a), Number(b), Number(c), String(d)])
    case 'letterIds':
      return void into.letterIds.push(Number(a))
    case 'logCount':
    case 'checkpoint':
      into[kind] = Number(a)
  }
}
