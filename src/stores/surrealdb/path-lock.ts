/**
 * Keeps a path to one process, and to one client in it: a second open of an embedded SurrealDB waits for ever, and says
 * nothing (seen with `@surrealdb/node` 3.0). The lock is SQLite's own on an empty file beside the path, which the system
 * lets go of when the process dies, however that dies.
 */
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../errors.ts'

export class PathLock {
  readonly #database: DatabaseSync

  /** @throws StoreError when somebody has it */
  constructor(path: string) {
    const file = `${path.replace(/\/+$/, '')}.lock`
    try {
      this.#database = new DatabaseSync(file, { timeout: 0 })
    } catch (cause) {
      throw new StoreError('fatal', `the lock file ${file} cannot be opened`, {
        cause,
        hint: 'Check that the folder it stands in exists and that this process may write there.',
      })
    }
    try {
      // Nobody but us touches this file, and what is in it never matters.
      this.#database.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    } catch (cause) {
      this.#database.close()
      throw new StoreError('fatal', `${path} is open already, in this process or another`, {
        cause,
        hint: 'One client may have an embedded SurrealDB open: share that one, or close it first; for several processes run a server.',
      })
    }
  }

  release(): void {
    this.#database.close()
  }
}
