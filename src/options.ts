/** How options are checked: together, so that all problems are told at once. */
import { TidemarkError } from './errors.ts'

/** @returns what is wrong with the value, to be read behind the option's name; undefined when nothing is */
export type Check = (value: unknown) => string | undefined

/** At least 1. */
export const whole: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : 'must be a whole number above 0'

export function wholeTo(most: number): Check {
  return (value) =>
    whole(value) === undefined && (value as number) <= most
      ? undefined
      : `must be a whole number from 1 to ${most}`
}

export const text: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a text that is not empty'

export function oneOf(...choices: readonly string[]): Check {
  return (value) => (choices.includes(value as string) ? undefined : `must be one of ${choices.join(', ')}`)
}

/** An address of HTTP. A name and password belong into a header: they would be shown where the URL is. */
export const httpUrl: Check = (value) => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'must be a URL with http: or https:'
  return url.username || url.password ? 'must not hold a name or password' : undefined
}

/**
 * @param of the function that is called, for the message
 * @param checks one for each option; those without a default must be given, unless they are `optional`
 * @throws TidemarkError `INVALID_OPTIONS`, naming every problem
 */
export function parseOptions<S extends object>(
  of: string,
  given: object,
  checks: { readonly [Name in keyof S]-?: Check },
  defaults: Partial<S>,
  optional: readonly (keyof S)[] = [],
): S {
  const named = Object.entries({ ...defaults, ...withoutUndefined(given) })
  const problems = named.flatMap(([name, value]) => {
    const check = (checks as Readonly<Record<string, Check>>)[name]
    if (check === undefined) return [`${name} is not an option (options: ${Object.keys(checks).join(', ')})`]
    const problem = check(value)
    return problem === undefined ? [] : [`${name} ${problem}`]
  })
  for (const name of Object.keys(checks)) {
    if (!optional.includes(name as keyof S) && !named.some(([known]) => known === name))
      problems.push(`${name} is missing`)
  }
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options of ${of}(): ${problems.join('; ')}.`)
  // Every name has been checked.
  return Object.fromEntries(named) as S
}

function withoutUndefined(given: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
