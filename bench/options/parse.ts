/** What the options of all benchmarks have in common: how they are read, and those that every one knows. */

import { parseArgs, type ParseArgsConfig } from 'node:util'

export interface CommonOptions {
  readonly rounds: number
  /** Where their size can be chosen. */
  readonly rowBytes?: number
  readonly only: readonly string[]
  readonly quick: boolean
  readonly patient: boolean
  readonly json: string | undefined
  readonly folder: string | undefined
  readonly profile: string | undefined
}

/** As they are described, with their defaults in brackets where they are the same everywhere. */
export const COMMON_USAGE = {
  rowBytes: '--row-bytes N    bytes of a row (250)',
  only: '--only A,B       only these contenders',
  patient: '--patient        repeat a round during which other processes were busy, up to 20 times',
  folder: "--folder DIR     where the databases are made (the system's folder for temporary files)",
  profile: "--profile DIR    leave CPU profiles of every contender's threads there; they slow it down",
} as const

export class UsageError extends Error {}

export const TEXT = { type: 'string' } as const
export const FLAG = { type: 'boolean', default: false } as const
export const COMMON = {
  rounds: TEXT,
  'row-bytes': TEXT,
  only: TEXT,
  sections: TEXT,
  json: TEXT,
  folder: TEXT,
  profile: TEXT,
  quick: FLAG,
  patient: FLAG,
} as const

export function parse<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export function wholeNumber(name: string, text: string | undefined, otherwise: number, least = 1): number {
  if (text === undefined) return otherwise
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isInteger(value) || value < least) {
    throw new UsageError(`--${name} takes a whole number, at least ${least}; it was given "${text}".`)
  }
  return value
}

/** @returns `embedded`, `debian`, or a URL */
export function serverOf(text: string = 'embedded'): string {
  if (['embedded', 'debian'].includes(text) || /^postgres(ql)?:\/\//.test(text)) return text
  throw new UsageError(`--server takes embedded, debian or a URL (postgres://…); it was given "${text}".`)
}

/** Below 200 bytes a row has no room for its own attributes. */
export function rowBytesOf(text: string | undefined): number {
  return wholeNumber('row-bytes', text, 250, 200)
}

export function list<T extends string>(
  name: string,
  text: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (text === undefined) return all
  return text.split(',').map((value) => {
    const found = all.find((one) => one === value)
    if (found !== undefined) return found
    throw new UsageError(`--${name} does not know "${value}"; there are: ${all.join(', ')}.`)
  })
}
