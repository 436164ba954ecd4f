/** Looks into database files beside the engine. Knows nothing of a test runner: campaigns use it too. */
import { cpSync, existsSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** A thread of an engine may hold the lock for a moment. */
const timeout = 10_000

/** Runs SQL on a connection of its own, in this process. */
export function change(file: string, sql: string): void {
  const database = new DatabaseSync(file, { timeout })
  try {
    database.exec(sql)
  } finally {
    database.close()
  }
}

/** Rows as another connection sees them. */
export function look<Row = Record<string, unknown>>(
  file: string,
  sql: string,
  ...parameters: SQLInputValue[]
): Row[] {
  const database = new DatabaseSync(file, { timeout })
  try {
    return database.prepare(sql).all(...parameters) as Row[]
  } finally {
    database.close()
  }
}

/** A copy to look into, with its journals: looking repairs a file, and the original shall stay as it was left. */
export function copyDatabase(file: string, copy: string): void {
  for (const ending of ['', '-wal', '-journal']) {
    if (existsSync(file + ending)) cpSync(file + ending, copy + ending)
  }
}
