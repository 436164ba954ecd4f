/**
 * The PostgreSQL store, on the server that the system has: an older one. The topics in which servers may differ; with
 * TIDEMARK_ALL_TOPICS=1 all of them.
 */
import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { debianPostgres } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'

const topics = [
  'writes',
  'values',
  'isolation',
  'deferred constraints',
  'transactions',
  'statements',
  'dead letters',
  'fencing',
  'schema',
  'preallocated ids',
  'effects',
]

await withServer(debianPostgres, (server) =>
  conformance(postgresSubject('postgres of the system', server), {
    describe: (name, define) => {
      const isWanted = topics.some((topic) => name.endsWith(` · ${topic}`))
      if (!isWanted && process.env['TIDEMARK_ALL_TOPICS'] !== '1') return
      describe(name, () => {
        define()
      })
    },
    test,
  }),
)
