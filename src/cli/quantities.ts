/** Times and sizes as people write them: `30d`, `2GB`. */
import { InvalidArgumentError } from 'commander'

const milliseconds: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
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

/** @throws InvalidArgumentError */
export function durationMs(text: string): number {
  return quantity(text, milliseconds, 'It must be a time such as 90m, 12h or 30d.')
}

/** @throws InvalidArgumentError */
export function sizeBytes(text: string): number {
  return quantity(text, bytes, 'It must be a size such as 500MB or 2GB.')
}

function quantity(text: string, units: Readonly<Record<string, number>>, hint: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,3})?)\s*([a-z]+)$/i.exec(text.trim()) ?? []
  const name = unit.toLowerCase()
  const value = Math.round(Number(digits) * (Object.hasOwn(units, name) ? (units[name] ?? 0) : 0))
  if (!Number.isSafeInteger(value) || value <= 0) throw new InvalidArgumentError(hint)
  return value
}
