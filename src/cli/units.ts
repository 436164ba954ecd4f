/** Durations, sizes, times and numbers as people write them on a command line. */
import { InvalidArgumentError } from 'commander'

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
}
const bytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** `90s`, `15m`, `36h`, `30d`, `2w` → milliseconds. @throws InvalidArgumentError */
export function duration(text: string): number {
  return measured(text, milliseconds, 'It must be a duration such as 90s, 15m, 36h, 30d or 2w.')
}

/** `500MB`, `2GB`, `1GiB` → bytes. @throws InvalidArgumentError */
export function size(text: string): number {
  return measured(text, bytes, 'It must be a size such as 500MB, 2GB or 1GiB.')
}

/** A time, or how long ago: `2026-01-31`, `2026-01-31T08:00Z`, `15m` → ms since 1970. @throws InvalidArgumentError */
export function timeOrAgo(text: string, nowMs: number): number {
  if (/^[\d.]+\s*[a-z]+$/i.test(text)) return nowMs - duration(text)
  // A time without a zone is taken as UTC, as everywhere else.
  const isZoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text)
  const ms = Date.parse(/T|:/.test(text) && !isZoned ? `${text.replace(' ', 'T')}Z` : text)
  if (Number.isNaN(ms))
    throw new InvalidArgumentError(
      'It must be a time such as 2026-01-31T08:00Z, or how long ago, such as 15m.',
    )
  return ms
}

/** @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** 1,234,567 bytes → `1.2 MB` */
export function sizeText(count: number): string {
  const names = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let step = 0
  let value = count
  for (; value >= 1_000 && step < names.length - 1; step++) value /= 1_000
  return `${step === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${names[step]}`
}

function measured(text: string, units: Readonly<Record<string, number>>, problem: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim()) ?? []
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined
  const value = Number(number) * (factor ?? Number.NaN)
  if (!(value > 0)) throw new InvalidArgumentError(problem)
  return value
}
