/** Which vectors are in the file: the target itself searches, and lists none. Read only, in the process that owns the file. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { KeptVector } from '../vectors.ts'

export class VectorList {
  readonly #database: DatabaseSync
  readonly #page: StatementSync
  readonly #known: StatementSync

  constructor(file: string, table: string) {
    this.#database = new DatabaseSync(file, { readOnly: true })
    // A version outlives its vector; the table of row ids is sqlite-vec's own, and needs no extension to be read.
    const there = `removed_ms IS NULL AND EXISTS (SELECT 1 FROM ${table}_rowids r WHERE r.rowid = v.id)`
    this.#page = this.#database.prepare(
      `SELECT key AS id, metadata ->> 'project' AS project FROM ${table}_versions v
       WHERE key > ? AND ${there} ORDER BY key LIMIT ?`,
    )
    this.#known = this.#database.prepare(
      `SELECT key AS id FROM ${table}_versions v WHERE key IN (SELECT value FROM json_each(?)) AND ${there}`,
    )
  }

  page(after: string, most: number): KeptVector[] {
    return this.#page
      .all(after, most)
      .map(({ id, project }) => ({ id: String(id), project: Number(project) }))
  }

  known(ids: readonly string[]): string[] {
    return this.#known.all(JSON.stringify(ids)).map(({ id }) => String(id))
  }

  close(): void {
    this.#database.close()
  }
}
