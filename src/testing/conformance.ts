/**
 * What every store must do, as tests: one suite, split by topic. It runs with any test runner that is handed in:
 *
 *     import { describe, test } from 'vitest'
 *     import { conformance } from 'tidemark/testing'
 *     conformance(
 *       { name: 'mine', dialect: 'postgres', commits: 'async', fresh: async (schema) => … },
 *       { describe, test },
 *     )
 *
 * Each test has a database of its own. Tests wait on named signals, never on time.
 */
import { backpressure } from './backpressure.ts'
import { batching } from './batching.ts'
import { bookmarks } from './bookmarks.ts'
import { closing } from './closing.ts'
import { deadLetters } from './dead-letters.ts'
import { deferred } from './deferred.ts'
import { dropIn } from './drop-in.ts'
import { effectsDelivered } from './effects.ts'
import { effectOutcomes } from './effect-outcomes.ts'
import { effectLanes } from './effects-lanes.ts'
import { effectsReached } from './effects-reached.ts'
import { effectsRecovered } from './effects-recovered.ts'
import { effectsWatched } from './effects-watched.ts'
import { events } from './events.ts'
import { fencing } from './fencing.ts'
import { groups } from './groups.ts'
import { history } from './history.ts'
import { preallocatedIds } from './ids.ts'
import { isolation } from './isolation.ts'
import { levels } from './levels.ts'
import { liveScopes } from './live.ts'
import { liveScopesHeld } from './live-held.ts'
import { loads } from './loads.ts'
import { order } from './order.ts'
import { processors } from './processors.ts'
import { reads } from './reads.ts'
import { receipts } from './receipts.ts'
import { schema } from './schema.ts'
import { sessions } from './sessions.ts'
import { sqlite } from './sqlite.ts'
import { statements } from './statements.ts'
import type { OnlyFor, Runner, Subject, Topic } from './subject.ts'
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
  'preallocated ids': preallocatedIds,
  fencing,
  history,
  closing,
  schema,
  reads,
  levels,
  sessions,
  bookmarks,
  processors,
  'existing code': dropIn,
  effects: effectsDelivered,
  'what becomes of effects': effectOutcomes,
  'lanes of effects': effectLanes,
  'effects reached': effectsReached,
  'effects recovered': effectsRecovered,
  'effects watched': effectsWatched,
  'live scopes': liveScopes,
  'who holds live scopes': liveScopesHeld,
  events,
  'what SQLite alone has': sqlite,
}

/** Defines the tests of every topic for one store. */
export function conformance(subject: Subject, { describe, test }: Runner): void {
  const onlyFor: OnlyFor = (dialects, name, run) => {
    if (dialects.includes(subject.dialect)) test(name, run)
    else test(name, async (context) => void context.skip(`${dialects.join(' and ')} only`))
  }
  for (const [name, topic] of Object.entries(topics)) {
    describe(`${subject.name} · ${name}`, () => topic(subject, test, onlyFor))
  }
}
