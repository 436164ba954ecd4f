import { fallbackTs } from './format.ts'
import type { Clock, LogRow, Refusal } from './format.ts'
import { findLevel } from './level-words.ts'
import { parseRfc5424 } from './syslog-5424.ts'
import { levelNamed } from './levels.ts'
import { priorityOf } from './syslog-priority.ts'
import type { Priority } from './syslog-priority.ts'
import { BSD_TIME_LENGTH, scanBsdTime } from './syslog-time.ts'
import { scanEnd, scanIso } from './timestamps.ts'

const LESS_THAN = 60
const SPACE = 32
const ZERO = 48
const NINE = 57
const CAPITAL_T = 84

const TAG = /^([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$)|^([^\s:[\]]+)\[(\d+)\] /

/**
 * System logs: RFC 5424, RFC 3164, and what syslog daemons write to files, `Oct  9 22:14:15 host tag[pid]:
 * text` or the same with an ISO time. The last two have no priority: their level is read in the message's
 * words.
 */
export function parseSyslog(line: string, clock: Clock): LogRow | Refusal {
  const hasPriority = line.charCodeAt(0) === LESS_THAN
  const priority = hasPriority ? priorityOf(line) : undefined
  if (hasPriority && priority === undefined) return 'the priority in <> is not a number up to 191'
  const at = priority?.end ?? 0
  if (priority !== undefined && line.startsWith('1 ', at)) return parseRfc5424(line, at + 2, priority, clock)

  const first = line.charCodeAt(at)
  const isIso = first >= ZERO && first <= NINE && line.charCodeAt(at + 10) === CAPITAL_T
  const ts = isIso ? scanIso(line, at) : scanBsdTime(line, at, clock)
  const end = isIso ? scanEnd : endOfBsdTime(line, at)
  if (Number.isNaN(ts) || (end < line.length && line.charCodeAt(end) !== SPACE)) {
    // RFC 3164 4.3.3: behind a priority, what has no header is the message.
    if (priority === undefined) return 'no syslog time at the start of the line'
    return entryOf(fallbackTs(clock), priority, undefined, line.slice(at))
  }
  const hostEnd = line.indexOf(' ', end + 1)
  const host = line.slice(end + 1, hostEnd < 0 ? line.length : hostEnd)
  // Some daemons leave the host out; then the first word is the tag already.
  const isTag = host.endsWith(':')
  const rest = isTag ? line.slice(end + 1) : hostEnd < 0 ? '' : line.slice(hostEnd + 1)
  if (isIso && priority === undefined && (isTag || !isHost(host) || !TAG.test(rest))) {
    return 'an ISO time, but no host and tag behind it'
  }
  clock.lastTs = ts
  return entryOf(ts, priority, isTag || host === '' ? undefined : host, rest)
}

/** Many programs open their lines with an ISO time and a level; those are not syslog's. */
function isHost(word: string): boolean {
  return /^[\w.:-]+$/.test(word) && levelNamed(word) === undefined
}

function entryOf(ts: number, priority: Priority | undefined, host: string | undefined, rest: string): LogRow {
  const tag = TAG.exec(rest)
  const message = tag === null ? rest : rest.slice(tag[0].length)
  const found = priority === undefined ? findLevel(message) : undefined
  const attributes = JSON.stringify({
    host,
    pid: tag?.[2] ?? tag?.[4],
    facility: priority?.facility,
    severity: priority?.severity,
    level: found?.isExact === false ? found.word : undefined,
  })
  return {
    ts,
    level: priority?.level ?? found?.level ?? 'info',
    service: tag?.[1] ?? tag?.[3] ?? null,
    message,
    attributes: attributes === '{}' ? null : attributes,
  }
}

/** The old style has seconds; some daemons add a fraction. */
function endOfBsdTime(line: string, at: number): number {
  let end = at + BSD_TIME_LENGTH
  if (line.charCodeAt(end) !== 46) return end
  do end++
  while (line.charCodeAt(end) >= ZERO && line.charCodeAt(end) <= NINE)
  return end
}
