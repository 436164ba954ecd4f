/**
 * SQL of somebody who is not trusted, run where it can do no harm: it changes nothing, and however long it would
 * take, it ends.
 */
import type { Runtime } from './runtime.ts'
import type { Value } from './values.ts'

/** Where such SQL can be run. Nothing is started before `open`. */
export interface SqlRunner {
  open(runtime: Runtime): OpenedSqlRunner
}

export interface OpenedSqlRunner {
  /** No question may ask for more. */
  readonly maxRows: number

  /**
   * Runs one SELECT in a snapshot that begins after the call.
   *
   * @param signal nobody waits any more: it is ended, wherever it is
   * @throws TidemarkError `QUERY_REFUSED`, `QUERY_STOPPED`, `QUERY_BUSY`, `CLOSED`; StoreError; the signal's reason
   */
  run(question: SqlQuestion, signal: AbortSignal): Promise<SqlAnswer>

  stats(): SqlRunnerStats

  /** Ends what runs, and refuses what waits. */
  close(): Promise<void>
}

export interface SqlQuestion {
  readonly sql: string
  readonly parameters: readonly Value[]
  readonly maxRows: number
}

export interface SqlAnswer {
  readonly columns: readonly string[]
  /** The JSON text of an array with one array a row: it is sent on as it is. */
  readonly rows: string
  readonly rowCount: number
  /** There are more rows, or they would have been too large together. */
  readonly isTruncated: boolean
}

export interface SqlRunnerStats {
  readonly running: number
  readonly waiting: number
  readonly runs: number
  /** How often a process was killed: at the time limit, or because its client had gone. */
  readonly kills: number
}
