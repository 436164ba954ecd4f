import type { Level } from './format.ts'
import { levelOfSeverity, SEVERITIES } from './levels.ts'

// prettier-ignore
const FACILITIES = [
  'kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'ntp',
  'audit', 'console', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7',
] as const

/** `<34>`: who speaks (facility) and how urgent it is (severity). */
export interface Priority {
  readonly facility: string
  readonly severity: string
  readonly level: Level
  /** The index behind it. */
  readonly end: number
}

/** The priority that `line` opens with, or undefined if what stands in <> is none. */
export function priorityOf(line: string): Priority | undefined {
  const close = line.indexOf('>')
  const digits = line.slice(1, close)
  const value = Number(digits)
  const facility = FACILITIES[value >> 3]
  const severity = SEVERITIES[value & 7]
  if (close < 2 || close > 4 || !/^\d+$/.test(digits)) return undefined
  if (facility === undefined || severity === undefined) return undefined
  return { facility, severity, level: levelOfSeverity(value & 7), end: close + 1 }
}
