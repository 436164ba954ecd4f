/** Numbers as people read them. A number that was not measured is a dash. */

import type { Spread } from '../statistics.ts'

const MISSING = '–'

export function whole(value: number | undefined): string {
  return isMissing(value) ? MISSING : Math.round(value).toLocaleString('en-US')
}

export function decimal(value: number | undefined, digits: number): string {
  return isMissing(value) ? MISSING : value.toFixed(digits)
}

export function times(value: number | undefined): string {
  return isMissing(value) ? MISSING : `${value.toFixed(2)}×`
}

export function megabytes(bytes: number | undefined): string {
  return isMissing(bytes) ? MISSING : (bytes / 1e6).toFixed(1)
}

export function range(spread: Spread): string {
  return `${whole(spread.min)} – ${whole(spread.max)}`
}

function isMissing(value: number | undefined): value is undefined {
  return value === undefined || Number.isNaN(value)
}
