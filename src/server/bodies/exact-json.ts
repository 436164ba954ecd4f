/**
 * Integers that a double cannot hold, as they were written. `JSON.parse` changes their last digits without a word, so
 * a body that may have one is looked at number by number.
 */

const longNumber = /\d{16}/
const wholeNumber = /^-?\d+$/

/** The value of a text that was found to be good JSON already, given as parsed. */
export function withExactIntegers(text: string, parsed: unknown): unknown {
  return longNumber.test(text) ? (JSON.parse(text, exactly) as unknown) : parsed
}

function exactly(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value
  return wholeNumber.test(source) ? BigInt(source) : value
}
