/** The PostgreSQL store, on the server that the system has. */
import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { debianPostgres } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'

await withServer(debianPostgres, (server) =>
  conformance(postgresSubject('postgres of the system', server), { describe, test }),
)
