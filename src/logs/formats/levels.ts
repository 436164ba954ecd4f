import type { Level } from './format.ts'

/** Other spellings of the six levels. Nothing is lost by storing the level instead. */
const SAME: Readonly<Record<string, Level>> = {
  trace: 'trace',
  trc: 'trace',
  debug: 'debug',
  dbg: 'debug',
  info: 'info',
  inf: 'info',
  information: 'info',
  informational: 'info',
  warn: 'warn',
  wrn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
  fatal: 'fatal',
  ftl: 'fatal',
}

/** Names with a meaning of their own: the nearest level is stored, and the name stays in the attributes. */
const NEAR: Readonly<Record<string, Level>> = {
  silly: 'trace',
  finest: 'trace',
  finer: 'trace',
  verbose: 'debug',
  fine: 'debug',
  config: 'info',
  notice: 'info',
  note: 'info',
  log: 'info',
  http: 'info',
  default: 'info',
  system: 'info',
  severe: 'error',
  dpanic: 'fatal',
  panic: 'fatal',
  crit: 'fatal',
  critical: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  emergency: 'fatal',
}

/** syslog's eight severities; also what GELF and journald write. */
export const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const
const SEVERITY_LEVELS: readonly Level[] = [
  'fatal',
  'fatal',
  'fatal',
  'error',
  'warn',
  'info',
  'info',
  'debug',
]

/** pino's and bunyan's numbers: 10, 20, … 60. */
const TENS: readonly Level[] = ['trace', 'trace', 'debug', 'info', 'warn', 'error', 'fatal']

export interface KnownLevel {
  readonly level: Level
  /** Whether `level` says all that the original said; otherwise keep the original. */
  readonly isExact: boolean
}

const UNKNOWN: KnownLevel = { level: 'info', isExact: false }
// Logs hold a handful of spellings, millions of times: each is worked out once.
const seen = new Map<string | number, KnownLevel>()
const MAX_SEEN = 1_000

/** The level for what a log called it: a name in any case, a pino or bunyan number, a syslog severity. */
export function levelOf(original: string | number): KnownLevel {
  const known = seen.get(original)
  if (known !== undefined) return known
  const level = typeof original === 'number' ? levelOfNumber(original) : levelOfName(original)
  if (seen.size < MAX_SEEN) seen.set(original, level)
  return level
}

/** The level of a name, or undefined if it is not the name of a level. */
export function levelNamed(name: string): KnownLevel | undefined {
  const lower = name.toLowerCase()
  const same = Object.hasOwn(SAME, lower) ? SAME[lower] : undefined
  if (same !== undefined) return { level: same, isExact: true }
  const near = Object.hasOwn(NEAR, lower) ? NEAR[lower] : undefined
  return near === undefined ? undefined : { level: near, isExact: false }
}

export function levelOfSeverity(severity: number): Level {
  return SEVERITY_LEVELS[severity] ?? 'info'
}

function levelOfName(name: string): KnownLevel {
  if (/^\d+$/.test(name)) return levelOfNumber(Number(name))
  const known = levelNamed(name)
  if (known !== undefined) return known
  // Go's slog writes levels between two names as INFO+2.
  const base = /^([a-z]+)[+-]\d+$/i.exec(name)?.[1]
  const nearest = base === undefined ? undefined : levelNamed(base)
  return nearest === undefined ? UNKNOWN : { level: nearest.level, isExact: false }
}

function levelOfNumber(number: number): KnownLevel {
  if (number >= 0 && number <= 7) {
    // Only these four severities and the levels of the same name mean one another.
    const isExact = number === 3 || number === 4 || number === 6 || number === 7
    return { level: levelOfSeverity(number), isExact }
  }
  if (!(number >= 10)) return UNKNOWN
  const level = TENS[Math.min(6, Math.floor(number / 10))]
  return level === undefined ? UNKNOWN : { level, isExact: number % 10 === 0 && number <= 60 }
}
