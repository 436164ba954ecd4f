/**
 * The Kysely store on SQLite. In a process of its own, as vitest runs every file: better-sqlite3 and node:sqlite may
 * not have one file open in one process.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, type SqliteDatabase } from 'kysely'
import { describe, test } from 'vitest'
import { kysely } from '../../src/stores/kysely/index.ts'
import { conformance } from '../../src/testing/index.ts'
import { plainRow } from './plain-row.ts'

/** As much of it as is used here. */
interface Opened extends SqliteDatabase {
  exec(sql: string): void
  pragma(text: string): void
  defaultSafeIntegers(isOn: boolean): void
}

conformance(
  {
    name: 'kysely, better-sqlite3',
    dialect: 'sqlite',
    commits: 'async',
    lacks: ['preallocated ids', 'effects'],
    async fresh(schema) {
      const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-kysely-'))
      const open = () => {
        const database = new Database(path.join(folder, 'app.db')) as unknown as Opened
        database.defaultSafeIntegers(true)
        database.pragma('journal_mode = WAL')
        return database
      }
      const outside = open()
      for (const statement of schema) outside.exec(statement)
      const instance = new Kysely<object>({ dialect: new SqliteDialect({ database: open() }) })
      return {
        store: kysely(instance),
        outside: async (sql) => {
          const statement = outside.prepare(sql)
          if (statement.reader) return (statement.all([]) as Record<string, unknown>[]).map(plainRow)
          statement.run([])
          return []
        },
        dispose: async () => {
          await instance.destroy()
          outside.close()
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
  },
  { describe, test },
)
