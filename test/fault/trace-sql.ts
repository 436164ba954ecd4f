/**
 * Preloaded into a program of the tests with `--import`, also into its threads: says each SQL text that runs on a
 * connection, and by how many bytes the write-ahead log grew meanwhile.
 */
import { statSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

// oxlint-disable-next-line typescript/unbound-method -- called below with the connection it belongs to
const { exec } = DatabaseSync.prototype

DatabaseSync.prototype.exec = function execAndSay(this: DatabaseSync, sql: string): void {
  const before = logBytes(this)
  exec.call(this, sql)
  writeSync(1, `sql ${JSON.stringify({ sql, grewBy: logBytes(this) - before })}\n`)
}

function logBytes(database: DatabaseSync): number {
  return database.isOpen ? (statSync(`${database.location()}-wal`, { throwIfNoEntry: false })?.size ?? 0) : 0
}
