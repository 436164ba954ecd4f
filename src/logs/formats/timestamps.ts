/**
 * Finds times at a place in a text. Hot: every line passes here, so the common style is read character by
 * character and no object is made; `scanEnd` holds where the last found time ended.
 *
 * A time without a zone is taken as UTC, always: the same file must give the same rows on every machine.
 */

/** The index behind the time that the last successful scan found. */
export let scanEnd = 0

const COLON = 58
const DASH = 45
const SLASH = 47
const SPACE = 32
const DOT = 46
const COMMA = 44
const PLUS = 43

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

let cachedDate = -1
let cachedDayMs = 0

/** Midnight UTC of a date, or NaN if there is no such day. */
export function dayMs(year: number, month: number, day: number): number {
  const date = (year * 100 + month) * 100 + day
  if (date === cachedDate) return cachedDayMs
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31 && year >= 0)) return Number.NaN
  const midnight = new Date(0)
  midnight.setUTCFullYear(year, month - 1, day)
  if (midnight.getUTCDate() !== day) return Number.NaN
  cachedDate = date
  cachedDayMs = midnight.getTime()
  return cachedDayMs
}

/** Milliseconds within a day, or NaN. Second 60 is a leap second. */
export function timeMs(hour: number, minute: number, second: number): number {
  const isTime = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60
  return isTime ? hour * HOUR_MS + minute * MINUTE_MS + second * 1_000 : Number.NaN
}

/** Two digits at `at` as a number, or -1. */
export function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/**
 * Reads `2024-05-01T12:00:00.123Z` and its relatives at `at`: `/` for `-`, a space for T, a comma before the
 * fraction, an hour padded by a space, no seconds, no time at all; Z, UTC, +02:00, +0200, +02 or no zone.
 *
 * @returns ms since 1970, or NaN when there is no such time at `at`.
 */
export function scanIso(text: string, at: number): number {
  const century = twoDigits(text, at)
  const year = twoDigits(text, at + 2)
  const separator = text.charCodeAt(at + 4)
  if (century < 0 || year < 0 || (separator !== DASH && separator !== SLASH)) return Number.NaN
  if (text.charCodeAt(at + 7) !== separator) return Number.NaN
  const midnight = dayMs(century * 100 + year, twoDigits(text, at + 5), twoDigits(text, at + 8))
  if (Number.isNaN(midnight)) return Number.NaN
  scanEnd = at + 10
  const between = text.charCodeAt(at + 10)
  if (between !== 84 && between !== 116 && between !== SPACE) return midnight
  return scanTime(text, at + 11, midnight)
}

/** The rest of an ISO time behind its date; where no time follows, the date alone is the result. */
function scanTime(text: string, at: number, midnight: number): number {
  const isPadded = text.charCodeAt(at) === SPACE
  const hour = isPadded ? digit(text, at + 1) : twoDigits(text, at)
  if (text.charCodeAt(at + 2) !== COLON) return midnight
  let end = at + 5
  let second = 0
  if (text.charCodeAt(end) === COLON) {
    second = twoDigits(text, end + 1)
    end += 3
  }
  let ts = midnight + timeMs(hour, twoDigits(text, at + 3), second)
  if (Number.isNaN(ts)) return Number.NaN
  const point = text.charCodeAt(end)
  if ((point === DOT || point === COMMA) && digit(text, end + 1) >= 0) {
    let scale = 100
    for (end += 1; digit(text, end) >= 0; end++) {
      ts += scale >= 1 ? digit(text, end) * scale : 0
      scale /= 10
    }
  }
  scanEnd = end
  return scanZone(text, end, ts)
}

function scanZone(text: string, at: number, local: number): number {
  const first = text.charCodeAt(at)
  if (first === 90 || first === 122) {
    scanEnd = at + 1
    return local
  }
  if (first === PLUS || first === DASH) return scanOffset(text, at, local, true)
  if (first !== SPACE) return local
  const second = text.charCodeAt(at + 1)
  if (second === PLUS || second === DASH) return scanOffset(text, at + 1, local, false)
  if (text.startsWith('UTC', at + 1) || text.startsWith('GMT', at + 1)) scanEnd = at + 4
  return local
}

/** `+02:00`, `+0200`, and `+02` where nothing else could be meant; anything else is not a zone. */
function scanOffset(text: string, at: number, local: number, mayBeShort: boolean): number {
  const hours = twoDigits(text, at + 1)
  const minutesAt = text.charCodeAt(at + 3) === COLON ? at + 4 : at + 3
  const minutes = twoDigits(text, minutesAt)
  if (hours < 0 || hours > 23 || (minutes < 0 && !mayBeShort) || minutes > 59) return local
  scanEnd = minutes < 0 ? at + 3 : minutesAt + 2
  const offset = hours * HOUR_MS + (minutes < 0 ? 0 : minutes * MINUTE_MS)
  return text.charCodeAt(at) === DASH ? local + offset : local - offset
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48
  return value >= 0 && value <= 9 ? value : -1
}
