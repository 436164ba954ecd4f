/**
 * What every store must do, as tests: one suite, split by topic. It runs with any test runner that is handed in:
 *
 *     import { describe, test } from 'vitest'
 *     import { conformance } from 'tidemark/testing'
 *     conformance({ name: 'mine', commits: 'async', fresh: async (schema) => … }, { describe, test })
 *
 * Each test has a database of its own. Tests wait on named signals, never on time.
 */
import { backpressure } from './backpressure.ts'
import { batching } from './batching.ts'
import { closing } from './closing.ts'
import { deadLetters } from './dead-letters.ts'
import { deferred } from './deferred.ts'
import { events } from './events.ts'
import { fencing } from './fencing.ts'
import { groups } from './groups.ts'
import { history } from './history.ts'
import { isolation } from './isolation.ts'
import { loads } from './loads.ts'
import { order } from './order.ts'
import { reads } from './reads.ts'
import { receipts } from './receipts.ts'
import { schema } from './schema.ts'
import { statements } from './statements.ts'
import type { Runner, Subject, Topic } from './subject.ts'
import { transactions } from './transactions.ts'
import { values } from './values.ts'
import { writes } from './writes.ts'

const topics: Readonly<Record<string, Topic>> = {
  writes,
  values,
  order,
  groups,
  isolation,
  'deferred constraints': deferred,
  receipts,
  backpressure,
  batching,
  transactions,
  statements,
  'dead letters': deadLetters,
  loads,
  fencing,
  history,
  closing,
  schema,
  reads,
  events,
}

/** Defines the tests of every topic for one store. */
export function conformance(subject: Subject, runner: Runner): void {
  for (const [name, topic] of Object.entries(topics)) {
    runner.describe(`${subject.name} · ${name}`, () => topic(subject, runner.test))
  }
}
