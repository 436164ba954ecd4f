/** Log entries as lines for a person, or as NDJSON for a program. */
import type { Level, StoredEntry } from '../../logs/index.ts'
import { printable } from './rows.ts'

export const ENTRY_FORMATS = ['text', 'ndjson'] as const
export type EntryFormat = (typeof ENTRY_FORMATS)[number]

const colours: Readonly<Record<Level, string>> = {
  trace: '90',
  debug: '36',
  info: '32',
  warn: '33',
  error: '31',
  fatal: '1;31',
}

/** Colours where a person reads: https://no-color.org */
export function wantsColour(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb'
}

export function entryText(entry: StoredEntry, format: EntryFormat, isColoured: boolean): string {
  if (format === 'ndjson') return `${JSON.stringify(entry)}\n`
  const paint = (text: string, colour: string): string =>
    isColoured ? `\u001B[${colour}m${text}\u001B[0m` : text
  const parts = [
    paint(timeText(entry.ts), '90'),
    paint(entry.level.toUpperCase().padEnd(5), colours[entry.level]),
    ...(entry.service === null ? [] : [paint(printable(entry.service), '1')]),
    printable(entry.message),
    ...Object.entries(entry.attributes ?? {}).map(([name, value]) =>
      paint(
        `${printable(name)}=${printable(typeof value === 'string' ? value : JSON.stringify(value))}`,
        '90',
      ),
    ),
  ]
  return `${parts.join(' ')}\n`
}

function timeText(ms: number): string {
  // Beyond what a Date can hold it is no time, but it is what the row says.
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms)
}
