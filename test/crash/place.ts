/** Where killed writers write: a file of SQLite's, or a database on a server of PostgreSQL's. */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { typeParsers } from '../../src/stores/postgres/values.ts'
import { change, copyDatabase, look } from '../support/database.ts'
import { diedInsideTransaction } from '../support/journal.ts'
import { untilAt, type PostgresServer } from '../support/servers/postgres.ts'
import { same } from './model.ts'
import { schema } from './workload.ts'

/** What a killed writer left, to be read. */
export interface Looks {
  rows(sql: string): Promise<Record<string, unknown>[]>
  hasTable(name: string): Promise<boolean>
}

export interface Place {
  /** What the writer opens. */
  readonly address: string
  readonly journalMode: 'wal' | 'delete'
  /** Options for the writer's Node. */
  readonly node: readonly string[]
  /** Runs `judge` on what is there when nothing of the killed writer goes on any more. */
  look<T>(judge: (looks: Looks) => Promise<T>): Promise<T>
  diedInsideTransaction(): boolean
  /** The database's own opinion of itself: slow, so it is asked once after many kills. */
  checkIntact(): void
}

const preload = fileURLToPath(new URL('tell-repair.ts', import.meta.url))

/** @param folder where to make the file; nothing else may be there */
export function fileIn(folder: string, journalMode: 'wal' | 'delete'): Place {
  const file = path.join(folder, 'app.db')
  change(file, schema.sqlite)
  return {
    address: file,
    journalMode,
    node: ['--import', preload],
    // In a copy: the next writer finds the file as the kill left it.
    async look(judge) {
      const copy = `${file}.copy`
      try {
        copyDatabase(file, copy)
        return await lookInto(copy, judge)
      } finally {
        for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(copy + ending, { force: true })
      }
    },
    diedInsideTransaction: () => diedInsideTransaction(file),
    checkIntact: () => same('integrity', look(file, 'PRAGMA integrity_check')[0]?.['integrity_check'], 'ok'),
  }
}

/** Looks into a file as it is. */
export async function lookInto<T>(file: string, judge: (looks: Looks) => Promise<T>): Promise<T> {
  const database = new DatabaseSync(file, { timeout: 10_000 })
  try {
    return await judge({
      rows: async (sql) =>
        database
          .prepare(sql)
          .all()
          .map((row) => ({ ...row })),
      hasTable: async (name) =>
        database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined,
    })
  } finally {
    database.close()
  }
}

export async function databaseOn(server: PostgresServer): Promise<Place> {
  const url = await server.createDatabase()
  await server.query(schema.postgres, url)
  return {
    address: url,
    journalMode: 'wal',
    node: [],
    async look(judge) {
      // What it had sent before it died is carried out to its end.
      await untilAt(
        url,
        `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'tidemark')`,
      )
      const client = new Client({ connectionString: url, types: typeParsers })
      await client.connect()
      try {
        const rows = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows
        return await judge({
          rows,
          hasTable: async (name) =>
            (await rows(`SELECT 1 WHERE to_regclass('${name}') IS NOT NULL`)).length > 0,
        })
      } finally {
        await client.end()
      }
    },
    diedInsideTransaction: () => false,
    checkIntact: () => undefined,
  }
}
