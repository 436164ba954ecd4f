/** The PostgreSQL store as a subject of the conformance suite. Databases that are no longer needed are swept and used again. */
import { Client } from 'pg'
import { postgres } from '../../src/stores/postgres/index.ts'
import { typeParsers } from '../../src/stores/postgres/values.ts'
import type { Subject } from '../../src/testing/index.ts'
import type { PostgresServer } from '../support/servers/postgres.ts'

export function postgresSubject(name: string, server: PostgresServer): Subject {
  const idle: Client[] = []
  const connect = async (): Promise<Client> => {
    const outside = new Client({ connectionString: await server.createDatabase(), types: typeParsers })
    await outside.connect()
    // The server is killed when the tests are over.
    outside.on('error', () => undefined)
    return outside
  }
  return {
    name,
    dialect: 'postgres',
    commits: 'async',
    awakens: true,
    hearsEffects: true,
    async fresh(schema) {
      const outside = idle.pop() ?? (await connect())
      for (const statement of schema) await outside.query(statement)
      return {
        store: postgres(server.url(outside.database)),
        outside: async (sql) => (await outside.query<Record<string, unknown>>(sql)).rows,
        dispose: async () => {
          await outside.query(sweep)
          idle.push(outside)
        },
      }
    },
  }
}

/** What a test left open must not hold the tables. */
const sweep = `
  ROLLBACK;
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
      EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
  END $$;
  CREATE SCHEMA public`
