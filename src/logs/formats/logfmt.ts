import { entryOfFields } from './fields.ts'
import type { Fields } from './fields.ts'
import type { Clock, LogRow, Refusal } from './format.ts'

const SPACE = 32
const QUOTE = 34
const EQUALS = 61
const BACKSLASH = 92

/**
 * `key=value key="quoted value" flag` (Go services, Heroku, Grafana). A key alone is true; a number is kept
 * as a number where that changes none of its digits.
 */
export function parseLogfmt(line: string, clock: Clock): LogRow | Refusal {
  const fields = fieldsOfLogfmt(line)
  return typeof fields === 'string' ? fields : entryOfFields(fields, clock, null)
}

function fieldsOfLogfmt(line: string): Fields | Refusal {
  const fields: Fields = {}
  const length = line.length
  let pairs = 0
  let at = 0
  for (;;) {
    while (at < length && line.charCodeAt(at) <= SPACE) at++
    if (at >= length) break
    const keyAt = at
    at = endOfBare(line, at, true)
    const key = line.slice(keyAt, at)
    if (key === '') return `no key before = at column ${keyAt + 1}`
    if (line.charCodeAt(at) !== EQUALS) {
      if (key.includes('"')) return `a quote outside a value at column ${keyAt + 1}`
      put(fields, key, true)
      continue
    }
    pairs++
    at++
    if (line.charCodeAt(at) === QUOTE) {
      const end = endOfQuoted(line, at)
      if (end < 0) return `the quote opened at column ${at + 1} is not closed`
      put(fields, key, unquoted(line, at, end))
      at = end + 1
    } else {
      const valueAt = at
      at = endOfBare(line, at, false)
      put(fields, key, bareValue(line.slice(valueAt, at)))
    }
  }
  return pairs === 0 ? 'no key=value pair' : fields
}

function put(fields: Fields, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(fields, key, { value, enumerable: true })
  else fields[key] = value
}

function endOfBare(line: string, from: number, stopAtEquals: boolean): number {
  let at = from
  for (; at < line.length; at++) {
    const char = line.charCodeAt(at)
    if (char <= SPACE || (stopAtEquals && char === EQUALS)) break
  }
  return at
}

/** The index of the quote that closes the one at `from`, or -1. */
function endOfQuoted(line: string, from: number): number {
  for (let at = line.indexOf('"', from + 1); at >= 0; at = line.indexOf('"', at + 1)) {
    let slashes = 0
    while (line.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
  return -1
}

function unquoted(line: string, from: number, end: number): string {
  const inner = line.slice(from + 1, end)
  if (!inner.includes('\\')) return inner
  try {
    // The escapes are Go's, which JSON's are nearly all of.
    return String(JSON.parse(line.slice(from, end + 1)))
  } catch {
    return inner.replace(/\\(["\\])/g, '$1')
  }
}

function bareValue(text: string): string | number {
  const first = text.charCodeAt(0)
  const mayBeNumber = (first >= 48 && first <= 57) || first === 45
  if (!mayBeNumber || text.length > 16) return text
  const number = Number(text)
  return Number.isFinite(number) && String(number) === text ? number : text
}
