/** Tests that run on the newest PostgreSQL, which comes with npm, and on the system's own where it is installed. */
import { describe } from 'vitest'
import type { Subject } from '../../src/testing/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { debianPostgres, embeddedPostgres, type PostgresServer } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'

export async function onPostgres(define: (subject: Subject) => void): Promise<void> {
  const on = (name: string) => (server: PostgresServer) => {
    describe(name, () => {
      define(postgresSubject(name, server))
    })
  }
  await withServer(embeddedPostgres, on('postgres'))
  await withServer(debianPostgres, on('postgres of the system'))
}
