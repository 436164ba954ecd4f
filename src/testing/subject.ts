/** What an adapter author hands to the conformance suite: the store under test, and the test runner to use. */
import type { Dialect, Store } from '../index.ts'

/** `describe` and `test` of the runner: vitest's, node:test's, or any other with these two. */
export interface Runner {
  readonly describe: (name: string, define: () => void) => unknown
  readonly test: (name: string, run: (context: TestContext) => Promise<void>) => unknown
}

interface TestContext {
  /** Ends the test: the report counts it as skipped, and tells why. */
  skip(reason: string): unknown
}

export interface Subject {
  /** For the names of the tests. */
  readonly name: string
  /** Of the database: what the suite's SQL is translated to, and which tests are not for it. */
  readonly dialect: Dialect
  /** `sync`: a write is committed when its call returns, so batches never form and queues never fill. */
  readonly commits: 'async' | 'sync'
  /** What the store says it cannot do: that is tested instead. Default nothing. */
  readonly lacks?: readonly ('preallocated ids' | 'effects')[]
  /** A read that waits for another engine's write makes that one commit: the store has `awaken`. Default false. */
  readonly awakens?: boolean
  /** Effects that another engine commits are heard of: the store has `hearEffects`. Default false. */
  readonly hearsEffects?: boolean
  /** Bytes of a large value, of which some make a batch. Default 3 MiB, more than a connection takes at once. */
  readonly largeBytes?: number
  /**
   * A new database which nobody else uses, made by these statements, one after another. In MySQL its texts must be
   * `utf8mb4` with a binary collation. Reads of its engines give integers as `outside` does.
   */
  fresh(schema: readonly string[]): Promise<TestDatabase>
}

export interface TestDatabase {
  /** May be opened several times, also while it is open: every engine opened on it meets the same tables. */
  readonly store: Store
  /**
   * Runs one statement at once, past every engine, as another program would, and gives its rows as plain objects.
   * Integers, also `count(*)`, are numbers where those are exact, else bigint; texts are strings, bytes are
   * `Uint8Array` and no subclass of it, and what is missing is null.
   */
  outside(sql: string): Promise<Record<string, unknown>[]>
  dispose(): Promise<void>
}

/** Defines a test that only some dialects can run; in the report of the others it is skipped, with the reason. */
export type OnlyFor = (dialects: readonly Dialect[], name: string, run: () => Promise<void>) => void

/** The tests of one topic. */
export type Topic = (subject: Subject, test: Runner['test'], onlyFor: OnlyFor) => void
