/**
 * A line of pino in the names that `logs/formats` knows, so that a server and a database read it alike.
 *
 * pino can be told other names for its fields and other levels, and tells them to its transports. Where it was told
 * none, a line stays the text that it is.
 */
import { levelNamed } from '../logs/formats/levels.ts'
import { readExactly } from '../logs/formats/long-numbers.ts'

/** What pino tells of the logger whose lines these are. */
export interface PinoConfig {
  /** Names of levels by their numbers. */
  readonly labels?: Readonly<Record<number, string>>
  readonly messageKey?: string
  readonly timestampKey?: string
}

const pinoLevels: Readonly<Record<string, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

type Fields = Record<string, unknown>

/** @returns what makes of a line the line that everybody understands */
export function lineReader({
  labels = {},
  messageKey = 'msg',
  timestampKey = 'time',
}: PinoConfig): (line: string) => string {
  const custom = Object.entries(labels).filter(([number, label]) => pinoLevels[number] !== label)
  const labelOf = new Map<unknown, string>(custom.map(([number, label]) => [Number(number), label]))
  const numberOf = new Map<unknown, number>(custom.map(([number, label]) => [label, Number(number)]))
  if (custom.length === 0 && messageKey === 'msg' && timestampKey === 'time') return (line: string) => line

  return (line: string): string => {
    const parsed = parse(line)
    if (parsed === undefined) return line
    const { ...fields } = readExactly(line, parsed)
    rename(fields, messageKey, 'msg')
    rename(fields, timestampKey, 'time')
    const label = labelOf.get(fields['level']) ?? String(fields['level'])
    if (levelNamed(label) !== undefined) fields['level'] = label
    else if (numberOf.has(label)) {
      fields['level'] = numberOf.get(label)
      fields['levelLabel'] = label
    }
    return JSON.stringify(fields)
  }
}

/** What stood under the new name already is kept beside it. */
function rename(fields: Fields, from: string, to: string): void {
  if (from === to || !Object.hasOwn(fields, from)) return
  if (Object.hasOwn(fields, to)) fields[`${to}_`] = fields[to]
  fields[to] = fields[from]
  delete fields[from]
}

/** Undefined for what is no object: it goes on as it is, and is told of where it arrives. */
function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}
