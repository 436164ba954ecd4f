/** The Kysely store on PostgreSQL, as PGlite runs it in this process. It has one connection for everybody. */
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { afterAll, describe, test } from 'vitest'
import { kysely } from '../../src/stores/kysely/index.ts'
import { conformance } from '../../src/testing/index.ts'
import { plainRow } from './plain-row.ts'

// One takes seconds to start, so that those no longer needed are swept and used again.
const idle: PGlite[] = []

// SPEC S0.7
conformance(
  {
    name: 'kysely, PGlite',
    dialect: 'postgres',
    commits: 'async',
    lacks: ['preallocated ids', 'effects'],
    // Nothing is between it and its database; what writes bytes down there takes two seconds for a megabyte.
    largeBytes: 2 ** 18,
    async fresh(schema) {
      const pglite = idle.pop() ?? (await PGlite.create())
      for (const statement of schema) await pglite.query(statement)
      const instance = new Kysely<object>({ dialect: new PGliteDialect({ pglite }) })
      return {
        store: kysely(instance),
        outside: async (sql) => (await pglite.query<Record<string, unknown>>(sql)).rows.map(plainRow),
        dispose: async () => {
          await pglite.exec('ROLLBACK; DROP SCHEMA public CASCADE; CREATE SCHEMA public')
          idle.push(pglite)
        },
      }
    },
  },
  { describe, test },
)

afterAll(() => Promise.all(idle.map((pglite) => pglite.close())))
