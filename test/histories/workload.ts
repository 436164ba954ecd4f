/** The tables of a history, and what parent and children say to each other. */
import type { Consistency, OpenOptions } from '../../src/index.ts'

/**
 * Each write adds a row to the log, whose ids so tell the order of all commits; most set a register as well, in the
 * same operation. Poison is refused by the register or the log alike.
 */
const tables = (id: string): string => `
  CREATE TABLE log (id ${id} PRIMARY KEY, write_id BIGINT NOT NULL, epoch BIGINT NOT NULL,
    is_poison INTEGER NOT NULL CHECK (is_poison = 0));
  CREATE TABLE registers (key TEXT PRIMARY KEY, write_id BIGINT NOT NULL,
    is_poison INTEGER NOT NULL CHECK (is_poison = 0));`

/**
 * PostgreSQL's writers commit beside each other, so whoever takes an id there has a lock until it has committed: without
 * that, ids would not be in the order of commits.
 */
export const schema = {
  sqlite: tables('INTEGER'),
  postgres: `
    CREATE SEQUENCE log_ids;
    CREATE FUNCTION next_in_line() RETURNS bigint LANGUAGE plpgsql VOLATILE AS
      'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN nextval(''log_ids''); END';
    ${tables('BIGINT DEFAULT next_in_line()')}`,
} as const

export interface Tables {
  log: { id: number; write_id: number; epoch: number; is_poison: number }
  registers: { key: string; write_id: number; is_poison: number }
}

/** Everything at one moment: the log in its order, and the registers. */
export const everything = {
  sql: `SELECT id, write_id, NULL AS key FROM log UNION ALL SELECT 0, write_id, key FROM registers ORDER BY 1`,
  parameters: [],
}

export const keys: readonly string[] = ['a', 'b', 'c', 'd']
export const levels: readonly Consistency[] = ['eventual', 'readAfterWrite', 'readAfterWrite', 'strong']

/** What a child is asked to do: open an engine on the database, and run sessions at random. */
export interface Job {
  readonly kind: 'run'
  /** The path of a file, or the URL of a database. */
  readonly address: string
  /** Where its events go. */
  readonly events: string
  /** Its number in the history. */
  readonly process: number
  /** The other processes that it sends bookmarks to. */
  readonly others: readonly number[]
  readonly seed: number
  /** When the history began, by the machine's monotonic clock. */
  readonly originNs: string
  readonly options: OpenOptions
  readonly sessions: number
  readonly steps: number
}

/** A bookmark on its way to another process. With a session: that goes on there. */
export interface Parcel {
  readonly kind: 'bookmark'
  readonly from: number
  readonly to: number
  readonly name: string
  readonly bookmark: string
  readonly session?: string
}

export type ToChild = Job | Parcel | Opening

/** The reader of the opening: it can be sent a bookmark; it has asked, and waits. */
interface Opening {
  readonly kind: 'ready' | 'waiting'
  readonly to: number
}

export type FromChild =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opened'; readonly epoch: number }
  | Parcel
  | Opening
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: string }
