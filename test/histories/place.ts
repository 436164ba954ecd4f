/** Where a history takes place: a file of SQLite's, or a database on a server of PostgreSQL's. */
import path from 'node:path'
import { change, look } from '../support/database-file.ts'
import { untilAt, type PostgresServer } from '../support/servers/postgres.ts'
import type { FinalState } from './history.ts'
import { schema } from './workload.ts'

export interface Place {
  readonly address: string
  change(sql: string): Promise<void>
  /** What is there when nothing goes on any more. */
  readFinal(): Promise<FinalState>
}

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/** @param folder empty */
export function fileIn(folder: string): Place {
  const file = path.join(folder, 'app.db')
  change(file, `PRAGMA journal_mode = WAL; ${schema.sqlite}`)
  return {
    address: file,
    change: async (sql) => change(file, sql),
    readFinal: () => finalState(async (sql) => look(file, sql)),
  }
}

export async function databaseOn(server: PostgresServer): Promise<Place> {
  const url = await server.createDatabase()
  await server.query(schema.postgres, url)
  return {
    address: url,
    async change(sql) {
      await server.query(sql, url)
    },
    async readFinal() {
      // What a killed process had sent is carried out to its end.
      await untilAt(
        url,
        `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'tidemark')`,
      )
      const final = await finalState((sql) => server.query(sql, url))
      await server.dropDatabase(url)
      return final
    },
  }
}

async function finalState(rows: Rows): Promise<FinalState> {
  const registers = await rows('SELECT key, write_id FROM registers')
  return {
    log: (await rows('SELECT write_id AS write, epoch FROM log ORDER BY id')).map(({ write, epoch }) => ({
      write: Number(write),
      epoch: Number(epoch),
    })),
    registers: Object.fromEntries(registers.map((row) => [String(row['key']), Number(row['write_id'])])),
    deadLetters: (await rows('SELECT epoch, seq FROM tidemark_dead_letters ORDER BY id')).map(
      ({ epoch, seq }) => ({ epoch: Number(epoch), seq: Number(seq) }),
    ),
  }
}
