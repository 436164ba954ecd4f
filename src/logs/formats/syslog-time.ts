/**
 * Times of the old syslog style, `Oct  9 22:14:15`, which have neither year nor zone.
 *
 * The year is worked out: the first line of a file gets the newest year that does not put it after the time
 * the file was last changed; each further line the first year that does not put it before its predecessor.
 * A file may so run over any number of new years. What cannot be known: a file that spans more than the
 * year before it was last changed begins in a later year than it really did.
 */
import type { Clock } from './format.ts'
import { monthNamed } from './time-styles.ts'
import { dayMs, timeMs, twoDigits } from './timestamps.ts'

const DAY_MS = 86_400_000
/** Lines may be this much out of order, also around new year, without starting another year. */
const DISORDER_MS = 7 * DAY_MS
/** A file may hold lines a little newer than its time: zones, and clocks that are not quite right. */
const AHEAD_MS = DAY_MS
/** 29 February may be up to eight years away. */
const MAX_YEARS_BACK = 8

/** How long the time `Oct  9 22:14:15` is. */
export const BSD_TIME_LENGTH = 15

const months = new Map<string, number>()

/** Reads `Oct  9 22:14:15` at `at`; NaN if there is none. */
export function scanBsdTime(line: string, at: number, clock: Clock): number {
  if (line.charCodeAt(at + 3) !== 32 || line.charCodeAt(at + 6) !== 32) return Number.NaN
  const month = monthAt(line, at)
  if (month === 0) return Number.NaN
  const tens = line.charCodeAt(at + 4) === 32 ? 0 : line.charCodeAt(at + 4) - 48
  const day = tens * 10 + line.charCodeAt(at + 5) - 48
  if (line.charCodeAt(at + 9) !== 58 || line.charCodeAt(at + 12) !== 58) return Number.NaN
  const time = timeMs(twoDigits(line, at + 7), twoDigits(line, at + 10), twoDigits(line, at + 13))
  if (!(day >= 1 && day <= 31) || Number.isNaN(time)) return Number.NaN
  return Number.isNaN(clock.lastTs)
    ? newestUpTo(clock.referenceMs + AHEAD_MS, month, day, time)
    : nextAfter(clock.lastTs, clock.referenceMs + AHEAD_MS, month, day, time)
}

function newestUpTo(latest: number, month: number, day: number, time: number): number {
  const year = yearOf(latest)
  for (let back = 0; back <= MAX_YEARS_BACK; back++) {
    const ts = dayMs(year - back, month, day) + time
    if (ts <= latest) return ts
  }
  return Number.NaN
}

function nextAfter(previous: number, latest: number, month: number, day: number, time: number): number {
  const year = yearOf(previous)
  let nearest = Number.NaN
  for (let candidate = year - 1; candidate <= year + 1; candidate++) {
    const ts = dayMs(candidate, month, day) + time
    if (ts > latest) continue
    if (ts >= previous - DISORDER_MS) return ts
    nearest = ts
  }
  // A clock was set back, or logs were joined out of order: the newest time that can be.
  return Number.isNaN(nearest) ? newestUpTo(Math.max(previous, latest), month, day, time) : nearest
}

function yearOf(ts: number): number {
  return new Date(ts).getUTCFullYear()
}

function monthAt(line: string, at: number): number {
  const name = line.slice(at, at + 3)
  let month = months.get(name)
  if (month === undefined) {
    month = monthNamed(name)
    if (month > 0) months.set(name, month)
  }
  return month
}
