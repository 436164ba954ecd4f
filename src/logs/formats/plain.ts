import { fallbackTs } from './format.ts'
import type { Clock, LogRow } from './format.ts'
import { findLevel } from './level-words.ts'
import { BSD_TIME_LENGTH, scanBsdTime } from './syslog-time.ts'
import { findStyledTime, timeOfNumber } from './time-styles.ts'
import { scanEnd, scanIso } from './timestamps.ts'

const SPACE = 32
const DASH = 45
const COLON = 58
const COMMA = 44
const PIPE = 124
const TAB = 9
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93

/** Seconds or milliseconds since 1970 as the first word, of this century's years only. */
const EPOCH = /^(1\d{9}(?:\.\d{1,9})?|1\d{12})(?=\s)/
/** What nats, redis and their like put before the time. */
const PROCESS = /^(?:\[(\d+)\]|(\d+):[A-Z]) (?=\d)/

/**
 * Any line of text. A time at its start and a level near it are recognised and taken out of the message
 * where they stand by themselves. A line without a time has its predecessor's, or the file's time where
 * none had one.
 */
export function parsePlain(line: string, clock: Clock): LogRow {
  const process = PROCESS.exec(line)
  let timeAt = process === null ? 0 : process[0].length
  if (line.charCodeAt(timeAt) === OPEN_BRACKET) timeAt++
  const ts = timeAtStart(line, timeAt, clock)
  const hasTime = !Number.isNaN(ts)
  if (hasTime) clock.lastTs = ts
  const rest = hasTime ? line.slice(afterTime(line, timeEnd)) : line
  const found = findLevel(rest)
  const attributes: Record<string, string> = {}
  if (hasTime && process !== null) attributes['pid'] = process[1] ?? process[2] ?? ''
  if (found?.isExact === false) attributes['level'] = found.word
  return {
    ts: hasTime ? ts : fallbackTs(clock),
    level: found?.level ?? 'info',
    service: null,
    message: found === undefined ? rest : rest.slice(found.messageAt),
    attributes: isEmpty(attributes) ? null : JSON.stringify(attributes),
  }
}

let timeEnd = 0

function timeAtStart(line: string, at: number, clock: Clock): number {
  const iso = scanIso(line, at)
  if (!Number.isNaN(iso)) {
    timeEnd = scanEnd
    // A date without a time is a heading or a file name, not the time of an event.
    return scanEnd > at + 10 ? iso : Number.NaN
  }
  const first = line.charCodeAt(at)
  const isDigit = first >= 48 && first <= 57
  const isCapital =
    first >= 65 && first <= 90 && (line.charCodeAt(at + 3) === SPACE || line.charCodeAt(at + 3) === COMMA)
  if (!isDigit && !isCapital) return Number.NaN
  const styled = findStyledTime(line, at)
  if (styled !== undefined) {
    timeEnd = styled.end
    return styled.ts
  }
  if (isCapital) {
    timeEnd = at + BSD_TIME_LENGTH
    return scanBsdTime(line, at, clock)
  }
  const epoch = at === 0 ? EPOCH.exec(line)?.[1] : undefined
  if (epoch === undefined) return Number.NaN
  timeEnd = epoch.length
  return timeOfNumber(Number(epoch))
}

/** The index behind the time and what separates it from the message. */
function afterTime(line: string, from: number): number {
  let at = from
  for (; at < line.length; at++) {
    const char = line.charCodeAt(at)
    const isDash = char === DASH && line.charCodeAt(at + 1) === SPACE
    const isSeparator = char === SPACE || char === TAB || char === COLON || char === PIPE || char === COMMA
    if (!isDash && !isSeparator && !(char === CLOSE_BRACKET && at === from)) break
  }
  return at
}

function isEmpty(record: Record<string, string>): boolean {
  for (const _ in record) return false
  return true
}
