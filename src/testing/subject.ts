/** What an adapter author hands to the conformance suite: the store under test, and the test runner to use. */
import type { Store } from '../index.ts'

/** `describe` and `test` of the runner: vitest's, node:test's, or any other with these two. */
export interface Runner {
  readonly describe: (name: string, define: () => void) => unknown
  readonly test: (name: string, run: () => Promise<void>) => unknown
}

export interface Subject {
  /** For the names of the tests. */
  readonly name: string
  /** `sync`: a write is committed when its call returns, so batches never form and queues never fill. */
  readonly commits: 'async' | 'sync'
  /** A new database with these tables, which nobody else uses. */
  fresh(schema: string): Promise<TestDatabase>
}

export interface TestDatabase {
  /** May be opened several times, also while it is open: every engine opened on it meets the same tables. */
  readonly store: Store
  /** Runs one statement at once, past every engine, as another program would, and gives its rows. */
  outside(sql: string): Promise<Record<string, unknown>[]>
  dispose(): Promise<void>
}

/** The tests of one topic. */
export type Topic = (subject: Subject, test: Runner['test']) => void
