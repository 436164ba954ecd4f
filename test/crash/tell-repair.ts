/**
 * Preloaded into the killed process with `--import`, also into its threads: says when the first statement runs on
 * the writer's connection, and when it is done. It is the one that touches the file first, so what a killed
 * predecessor left (a log, a hot journal) is repaired within it.
 */
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

// oxlint-disable-next-line typescript/unbound-method -- called below with the connection it belongs to
const { exec } = DatabaseSync.prototype

DatabaseSync.prototype.exec = function execAndSay(this: DatabaseSync, sql: string): void {
  if (!sql.startsWith('PRAGMA journal_mode')) return exec.call(this, sql)
  writeSync(1, 'repairing\n')
  exec.call(this, sql)
  writeSync(1, 'repaired\n')
}
