/**
 * The file, as its thread sees it. Beside the table of vectors stands one of versions, and its rows outlive their vectors.
 *
 * Keeps law 8 at its end: version and vector change in one transaction, which is on the disk before anybody is told.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { failureOf } from '../../sqlite-codes.ts'
import type { ChangeFailure, FoundRow, ThreadSettings, VectorChange } from './messages.ts'

/** How long somebody else's transaction is waited for before the batch is tried again later. */
const busyMs = 250
/** How many tombstones one batch takes away, at most: it is not to be slow because of them. */
const tombstonesAtOnce = 200
/** What the row itself is to blame for. Anything else, a full disk inside of the extension too, may pass. */
const constraint = 19

export class VectorFile {
  readonly #database: DatabaseSync
  readonly #tombstoneMs: number
  readonly #statements: Readonly<
    Record<'claim' | 'remove' | 'put' | 'find' | 'look' | 'forget', StatementSync>
  >

  private constructor(database: DatabaseSync, { table, tombstoneMs }: ThreadSettings) {
    this.#database = database
    this.#tombstoneMs = tombstoneMs
    const versions = `${table}_versions`
    this.#statements = {
      claim: database.prepare(`
        INSERT INTO ${versions} (kind, key, version, metadata, removed_ms) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (kind, key) DO UPDATE
          SET version = excluded.version, metadata = excluded.metadata, removed_ms = excluded.removed_ms
          WHERE excluded.version > version
        RETURNING id`),
      remove: database.prepare(`DELETE FROM ${table} WHERE id = ?`),
      put: database.prepare(`INSERT INTO ${table} (id, vector) VALUES (?, ?)`),
      find: database.prepare(`
        WITH nearest AS MATERIALIZED (SELECT id, distance FROM ${table} WHERE vector MATCH ? AND k = ?)
        SELECT kind, key, metadata, distance FROM nearest JOIN ${versions} USING (id) ORDER BY distance, id`),
      look: database.prepare(`SELECT id FROM ${versions} LIMIT 1`),
      forget: database.prepare(`
        DELETE FROM ${versions}
        WHERE id IN (SELECT id FROM ${versions} WHERE removed_ms < ? ORDER BY removed_ms LIMIT ${tombstonesAtOnce})`),
    }
    for (const statement of Object.values(this.#statements)) statement.setReadBigInts(false)
  }

  static async open(settings: ThreadSettings): Promise<VectorFile> {
    const { load } = await import('sqlite-vec').catch(() => {
      throw new Error('sqlite-vec is not installed: npm install sqlite-vec')
    })
    const database = new DatabaseSync(settings.path, { allowExtension: true, timeout: busyMs })
    try {
      load(database)
      database.enableLoadExtension(false)
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      createTables(database, settings)
      return new VectorFile(database, settings)
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** All in one transaction. @throws when it is none of them that is at fault: nothing is changed */
  apply(changes: readonly VectorChange[], nowMs: number): readonly ChangeFailure[] {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const failures = changes.map((change) => this.#isolate(change, nowMs))
      this.#statements.forget.run(nowMs - this.#tombstoneMs)
      this.#database.exec('COMMIT')
      return failures
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  search(vector: Float32Array, k: number): readonly FoundRow[] {
    return this.#statements.find.all(vector, k) as unknown as readonly FoundRow[]
  }

  probe(): void {
    this.#statements.look.get()
  }

  close(): void {
    this.#database.close()
  }

  #isolate(change: VectorChange, nowMs: number): ChangeFailure {
    this.#database.exec('SAVEPOINT one')
    try {
      this.#change(change, nowMs)
      this.#database.exec('RELEASE one')
      return undefined
    } catch (error) {
      const { message, errcode = 0 } = error as Error & { readonly errcode?: number }
      if (failureOf(errcode) !== 'rejected' || !this.#database.isTransaction) throw error
      this.#database.exec('ROLLBACK TO one; RELEASE one')
      return { isFinal: (errcode & 0xff) === constraint, message }
    }
  }

  #change({ kind, key, version, vector, metadata = 'null' }: VectorChange, nowMs: number): void {
    const { claim, remove, put } = this.#statements
    const removedMs = vector === undefined ? nowMs : null
    const row = claim.get(kind, key, version, metadata, removedMs) as { readonly id: number } | undefined
    // What is there is as new, or newer.
    if (row === undefined) return
    const id = BigInt(row.id)
    remove.run(id)
    if (vector !== undefined) put.run(id, vector)
  }
}

/** @throws when a table of this name holds something else */
function createTables(database: DatabaseSync, settings: ThreadSettings): void {
  const { table, dimensions, distance } = settings
  const layout = `vec0(id integer primary key, vector float[${dimensions}] distance_metric=${distance})`
  const sql = `CREATE VIRTUAL TABLE ${table} USING ${layout}`
  const find = database.prepare('SELECT sql FROM sqlite_schema WHERE name = ? COLLATE NOCASE')
  if (find.get(table) === undefined) {
    database.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS ${table}_versions (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
        metadata TEXT NOT NULL, removed_ms INTEGER, UNIQUE (kind, key)
      ) STRICT;
      CREATE INDEX IF NOT EXISTS ${table}_removed ON ${table}_versions (removed_ms) WHERE removed_ms IS NOT NULL;
      ${sql.replace('TABLE', 'TABLE IF NOT EXISTS')};
      COMMIT`)
  }
  const found = (find.get(table) as { readonly sql: string } | undefined)?.sql ?? ''
  if (found.replace(/^.*?USING /is, '') !== layout)
    throw new Error(
      `its table ${table} is not of ${dimensions} dimensions and ${distance} distance: ${found}`,
    )
}
