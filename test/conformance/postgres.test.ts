/** The PostgreSQL store, on the newest server that npm has. */
import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'

await withServer(embeddedPostgres, (server) =>
  conformance(postgresSubject('postgres', server), { describe, test }),
)
