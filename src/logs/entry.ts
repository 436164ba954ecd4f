/** What is logged, and how it stands in the table. */
import type { Runtime } from '../contracts/runtime.ts'
import type { Json } from '../contracts/values.ts'
import { InvalidOperationError } from '../errors.ts'
import type { Level, LogRow } from './formats/format.ts'

/** The six levels, least severe first. */
export const LEVELS: readonly Level[] = Object.freeze(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])

/** What is to be logged. */
export interface LogEntry {
  /** Milliseconds since 1970. Default: now. */
  readonly ts?: number
  /** Default `info`. */
  readonly level?: Level
  readonly service?: string | null
  readonly message: string
  /** Anything that JSON can say. What JSON leaves out or changes (functions, NaN) it does here too. */
  readonly attributes?: Readonly<Record<string, unknown>> | null
}

/** An entry as the table has it. */
export interface StoredEntry {
  /** Rises in the order of the commits. */
  readonly id: number
  readonly ts: number
  readonly level: Level
  readonly service: string | null
  readonly message: string
  readonly attributes: Readonly<Record<string, Json>> | null
}

export const ENTRY_COLUMNS: readonly string[] = ['id', 'ts', 'level', 'service', 'message', 'attributes']

/** What `entryOf` takes, of the table as `l`. */
export const ENTRY_OF_L: string = ENTRY_COLUMNS.map((column) => `l.${column}`).join(', ')

/** @throws InvalidOperationError `INVALID_CALL`, `UNBINDABLE_VALUE` */
export function rowOf(entry: LogEntry, runtime: Runtime): LogRow {
  const { ts = runtime.wallMs(), level = 'info', service = null, message, attributes } = entry
  if (typeof message !== 'string') throw invalid(`its message must be a text, not ${typeof message}`)
  if (!Number.isSafeInteger(ts)) throw invalid(`its ts must be whole milliseconds since 1970, not ${ts}`)
  if (!LEVELS.includes(level))
    throw invalid(`its level must be one of ${LEVELS.join(', ')}, not ${JSON.stringify(level)}`)
  return { ts, level, service, message, attributes: attributes ? jsonOf(attributes) : null }
}

function jsonOf(attributes: unknown): string {
  if (typeof attributes !== 'object' || Array.isArray(attributes))
    throw invalid('its attributes must be an object')
  try {
    return JSON.stringify(attributes)
  } catch (error) {
    throw new InvalidOperationError(
      'UNBINDABLE_VALUE',
      `a log entry's attributes have no JSON: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}.`,
    )
  }
}

function invalid(problem: string): InvalidOperationError {
  return new InvalidOperationError('INVALID_CALL', `this is no log entry: ${problem}.`)
}

/** A row of the table, whoever wrote it. */
export function entryOf(row: Readonly<Record<string, unknown>>): StoredEntry {
  const { id, ts, level, service, message, attributes } = row
  return {
    id: Number(id),
    ts: Number(ts),
    level: LEVELS.find((known) => known === level) ?? 'info',
    service: typeof service === 'string' ? service : null,
    message: typeof message === 'string' ? message : JSON.stringify(message ?? ''),
    attributes: typeof attributes === 'string' ? parseAttributes(attributes) : null,
  }
}

/** What is no JSON object is shown as it is: it was written past us. */
function parseAttributes(text: string): StoredEntry['attributes'] {
  try {
    const value: unknown = JSON.parse(text)
    // JSON.parse gives nothing else.
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, Json>)
      : { value: value as Json }
  } catch {
    return { text }
  }
}
