/**
 * Makes a log entry from named fields, whatever the logger called them. Shared by NDJSON and logfmt.
 *
 * Hot: one pass over the fields. Each known name has a role and a rank; the best-ranked field fills the
 * role, every other field goes to the attributes under its own name.
 */
import { fallbackTs } from './format.ts'
import type { Clock, LogRow, Refusal } from './format.ts'
import { levelOf } from './levels.ts'
import { MAX_EXACT, readExactly } from './long-numbers.ts'
import { timeOfNumber, timeOfText } from './time-styles.ts'

const TIME = 0
const LEVEL = 1
const MESSAGE = 2
const SERVICE = 3

/** The names of each role, best first: where a line has several, the first is the one that is meant. */
const NAMES: readonly (readonly string[])[] = [
  // prettier-ignore
  ['time', 'timestamp', '@timestamp', 'ts', '__REALTIME_TIMESTAMP', '@t', 'Timestamp', 'Time', 'TIMESTAMP',
    'datetime', 'asctime', 'timeMillis', 'eventTime'],
  // prettier-ignore
  ['level', 'lvl', 'severity', 'log.level', 'levelname', 'loglevel', 'log_level', '@level', '@l', 'PRIORITY',
    'Level', 'Severity', 'SEVERITY', 'LEVEL'],
  // prettier-ignore
  ['msg', 'message', 'MESSAGE', '@message', '@m', '@mt', 'Message', 'MSG', 'short_message', 'textPayload',
    'event', 'text', 'body', 'log'],
  // prettier-ignore
  ['service', 'service.name', 'service_name', 'app', 'application', 'name', 'logger', 'logger_name', 'loggerName',
    'SYSLOG_IDENTIFIER', '_SYSTEMD_UNIT', '_COMM', 'component', 'module', '@module', 'container_name', 'unit'],
]

/** The rank of the last name that can only be the message. */
const SURE_MESSAGE = 2

/** Role × 64 + rank, for each name. Rank 0 is the best. */
const RANKS = new Map<string, number>()
for (const [role, names] of NAMES.entries()) {
  for (const [rank, name] of names.entries()) RANKS.set(name, role * 64 + rank)
}

export type Fields = Record<string, unknown>

// Which name fills each role on the line at hand; reused, since an object per line would cost a third of the
// pass.
const chosen: [string, string, string, string] = ['', '', '', '']
const ranks: [number, number, number, number] = [64, 64, 64, 64]

/**
 * The entry that these fields say, or why they say none.
 *
 * @param json the text that the fields were parsed from, if they were: numbers that a double cannot hold are
 *   copied from there to the attributes.
 */
export function entryOfFields(fields: Fields, clock: Clock, json: string | null): LogRow | Refusal {
  const { hasRest, isSuspect } = choose(fields)
  const [time, level, message, service] = chosen
  let ts = fallbackTs(clock)
  if (time !== '') {
    const value = fields[time]
    ts = typeof value === 'number' ? timeOfNumber(value) : timeOfText(String(value))
    if (Number.isNaN(ts)) return `${time} is not a time: ${JSON.stringify(value)}`
  }
  const original = level === '' ? 'info' : fields[level]
  const known = levelOf(typeof original === 'number' ? original : String(original))
  const text = message === '' ? '' : messageText(message, fields[message])
  const from = service === '' ? null : String(fields[service])
  // A store would change half a surrogate pair silently. The attributes' JSON text carries it as an escape.
  if (!text.isWellFormed()) return `${message} holds half a surrogate pair`
  if (from !== null && !from.isWellFormed()) return `${service} holds half a surrogate pair`
  if (time !== '') clock.lastTs = ts
  let attributes: string | null = null
  if (hasRest || !known.isExact) {
    // A level that says more than its column goes to the attributes as well.
    if (!known.isExact) chosen[LEVEL] = ''
    attributes = JSON.stringify(restOf(isSuspect && json !== null ? readExactly(json, fields) : fields))
  }
  return { ts, level: known.level, service: from, message: text, attributes }
}

/** Finds the name for each role, and says whether fields are left and whether one may hold a long number. */
function choose(fields: Fields): { hasRest: boolean; isSuspect: boolean } {
  for (let role = TIME; role <= SERVICE; role++) {
    chosen[role] = ''
    ranks[role] = 64
  }
  let hasRest = false
  let isSuspect = false
  for (const name in fields) {
    const ranked = RANKS.get(name)
    const value = fields[name]
    if (ranked === undefined || !fits(ranked, value)) {
      hasRest = true
      isSuspect ||= typeof value === 'number' ? !(Math.abs(value) <= MAX_EXACT) : typeof value === 'object'
      continue
    }
    const role = ranked >> 6
    hasRest ||= chosen[role] !== ''
    if ((ranked & 63) >= (ranks[role] ?? 0)) continue
    chosen[role] = name
    ranks[role] = ranked & 63
  }
  return { hasRest, isSuspect }
}

/** Whether a value of this type can fill the role; otherwise its field is an attribute like any other. */
function fits(ranked: number, value: unknown): boolean {
  switch (ranked >> 6) {
    case MESSAGE:
      // An object under a name such as `event` or `body` is data; under `msg` it is what was logged.
      return typeof value === 'string' || (value !== null && (ranked & 63) <= SURE_MESSAGE)
    case SERVICE:
      return typeof value === 'string'
    default:
      return typeof value === 'string' || typeof value === 'number'
  }
}

function restOf(fields: Fields): Fields {
  const rest: Fields = {}
  for (const name in fields) {
    if (name === chosen[TIME] || name === chosen[LEVEL]) continue
    if (name === chosen[MESSAGE] || name === chosen[SERVICE]) continue
    if (name === '__proto__') defineProto(rest, fields[name])
    else rest[name] = fields[name]
  }
  return rest
}

/** An assignment would set the prototype instead, and the field would be gone. */
function defineProto(rest: Fields, value: unknown): void {
  Object.defineProperty(rest, '__proto__', { value, enumerable: true })
}

function messageText(name: string, value: unknown): string {
  if (typeof value === 'string') {
    // Docker's json-file driver keeps each line's own line end.
    return name === 'log' && value.endsWith('\n') ? value.slice(0, -1) : value
  }
  // journald writes a message that is not UTF-8, or holds control characters, as an array of bytes.
  if (name === 'MESSAGE' && isBytes(value)) return Buffer.from(value).toString('utf8')
  return JSON.stringify(value)
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)
}
