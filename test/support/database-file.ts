import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { onTestFinished } from 'vitest'

/** A thread of an engine may hold the lock for a moment. */
const timeout = 10_000

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new database file with these tables. */
export function databaseFile(schema: string): string {
  const file = path.join(temporaryFolder(), 'app.db')
  change(file, schema)
  return file
}

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

/** A copy to look into: looking repairs a file, and whoever opens the original next shall find it as it was left. */
export function copyOfDatabase(file: string): string {
  const copy = path.join(temporaryFolder(), 'copy.db')
  for (const ending of ['', '-wal', '-journal']) {
    if (existsSync(file + ending)) cpSync(file + ending, copy + ending)
  }
  return copy
}
