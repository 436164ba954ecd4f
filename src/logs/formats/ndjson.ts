import { isObject } from '../../json-object.ts'
import { entryOfFields } from './fields.ts'
import type { Clock, LogRow, Refusal } from './format.ts'

/**
 * One JSON object a line: pino, bunyan, winston, zerolog, zap, slog, Serilog, GELF, Docker, `journalctl -o
 * json`.
 *
 * Fields that name the time, level, message or service fill those columns; all others go to the attributes.
 */
export function parseNdjson(line: string, clock: Clock): LogRow | Refusal {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    // Its "line 1" would be read as a line of the file.
    return `not JSON: ${String(error).replace(/^SyntaxError: | \(line 1 column \d+\)$/g, '')}`
  }
  return isObject(value) ? entryOfFields(value, clock, line) : 'not a JSON object'
}
