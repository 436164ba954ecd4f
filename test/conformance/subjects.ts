/** The stores of this repository, as subjects of the conformance suite. */
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { memory } from '../../src/stores/memory/index.ts'
import type { MemoryStore } from '../../src/stores/memory/store.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import type { Subject } from '../../src/testing/index.ts'

type Rows = Record<string, unknown>[]

export const sqliteFile: Subject = {
  name: 'sqlite',
  dialect: 'sqlite',
  commits: 'async',
  hearsEffects: true,
  async fresh(schema) {
    const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-conformance-'))
    const file = path.join(folder, 'app.db')
    const outside = new DatabaseSync(file, { timeout: 10_000 })
    outside.exec('PRAGMA journal_mode = WAL')
    for (const statement of schema) outside.exec(statement)
    return {
      store: sqlite(file),
      outside: async (sql) => query(outside, sql),
      dispose: async () => {
        outside.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}

export const memoryAsync: Subject = { ...memorySubject('async'), name: 'memory' }
export const memorySync: Subject = { ...memorySubject('sync'), name: 'memory, synchronous' }

function memorySubject(commits: 'async' | 'sync'): Omit<Subject, 'name'> {
  return {
    dialect: 'sqlite',
    commits,
    async fresh(schema) {
      const store = memory({ schema: schema.join(';\n'), commit: commits })
      // A database in memory has one connection; a test may look past the engines through it.
      const { database } = store as MemoryStore
      return {
        store,
        outside: async (sql) => query(database, sql),
        dispose: async () => database.close(),
      }
    },
  }
}

/** Rows as ordinary objects, with numbers where they are exact: what assertions compare. */
function query(database: DatabaseSync, sql: string): Rows {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  return statement
    .all()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, exact(value)])))
}

function exact(value: unknown): unknown {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}
