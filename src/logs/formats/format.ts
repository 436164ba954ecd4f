/**
 * What a log format promises: one line in, one row of the log table out, or the reason why not.
 *
 * A parser neither throws nor keeps anything but the clock, so that the reader can stop behind any line
 * and go on from there later: the clock is all there is to save.
 */

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** One row of the log table, without its id. */
export type LogRow = {
  /** Milliseconds since 1970. A time without a zone is taken as UTC. */
  ts: number
  level: Level
  service: string | null
  message: string
  /** Everything else that the line said, as the text of one JSON object. */
  attributes: string | null
}

/** Why a line is not an entry, in words for the person who reads the dead letters. */
export type Refusal = string

/** What a parser may know about time besides the line itself. */
export interface Clock {
  /** The newest line's own time; NaN until a line had one. Lines without a time take this one. */
  lastTs: number
  /**
   * The time the file was last changed: what lines take while none has had a time, and what dates without a
   * year end at.
   */
  readonly referenceMs: number
}

export type LineParser = (line: string, clock: Clock) => LogRow | Refusal

export type LogFormatName = 'ndjson' | 'logfmt' | 'access' | 'syslog' | 'plain'

/** The time of a line that has none: its predecessor's, so that a stack trace stays with its error. */
export function fallbackTs(clock: Clock): number {
  return Number.isNaN(clock.lastTs) ? clock.referenceMs : clock.lastTs
}
