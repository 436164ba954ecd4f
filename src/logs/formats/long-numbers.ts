/**
 * Numbers in JSON that a double cannot hold (64-bit ids, mostly). `JSON.parse` would change their last digits
 * without a word, so the rare line that has one is parsed a second time, keeping the digits as written.
 */

export const MAX_EXACT: number = Number.MAX_SAFE_INTEGER

const LONG_NUMBER = /\d{16}/

interface RawJson {
  rawJSON(text: string): unknown
}

/** The fields of `json` with every long integer kept as its digits; `fields` itself where there is none. */
export function readExactly(json: string, fields: Record<string, unknown>): Record<string, unknown> {
  if (!LONG_NUMBER.test(json)) return fields
  const exact: unknown = JSON.parse(json, keepDigits)
  return isRecord(exact) ? exact : fields
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  const digits = context?.source
  if (typeof value !== 'number' || digits === undefined || Math.abs(value) <= MAX_EXACT) return value
  // In every Node that Tidemark runs on; TypeScript does not know it yet.
  return (JSON as unknown as RawJson).rawJSON(digits)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
