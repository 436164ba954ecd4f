import type { CsvState } from './formats/csv-columns.ts'
import { isColumnType } from './formats/csv-columns.ts'
import type { FormatName } from './formats/columns.ts'
import type { Fingerprint } from './fingerprint.ts'

/** How far a source has been read, and what a file must look like to be that source still. Plain JSON. */
export interface Checkpoint {
  readonly version: 1
  /** The source it belongs to, see `Source.key`. */
  readonly key: string
  /** The whole path that the file was named by; it may have been renamed since. Null where an earlier version did not say. */
  readonly path: string | null
  /** Bytes before the next line; of a gzip file, unpacked bytes. */
  readonly offset: number
  /** Lines before the next line. */
  readonly line: number
  /** The last line was taken although no line end followed it yet. */
  readonly isLineOpen: boolean
  /** Bytes of the file when this was written, as they are on disk. */
  readonly size: number
  readonly isGzip: boolean
  /** The file's first bytes, as far as they have been read: at most 4 KB. */
  readonly head: Fingerprint
  /** The bytes just before `offset`, where the first 4 KB do not reach that far; null for gzip. */
  readonly tail: Fingerprint | null
  readonly format: FormatName
  /** The last time seen in a line; lines without one go on from there, and so do dates without a year. */
  readonly lastTs: number | null
  readonly csv: CsvState | null
}

const FORMATS: readonly string[] = [
  'ndjson',
  'logfmt',
  'access',
  'syslog',
  'plain',
  'csv',
] satisfies FormatName[]

export function isFormatName(value: unknown): value is FormatName {
  return typeof value === 'string' && FORMATS.includes(value)
}

/** A checkpoint as it came back from where it was kept, or undefined if it is not one of ours. */
export function parseCheckpoint(value: unknown): Checkpoint | undefined {
  if (!isRecord(value) || value['version'] !== 1) return undefined
  const { key, offset, line, isLineOpen, size, isGzip, format } = value
  const path = typeof value['path'] === 'string' ? value['path'] : null
  const head = parseFingerprint(value['head'])
  const tail = value['tail'] === null ? null : parseFingerprint(value['tail'])
  const lastTs = value['lastTs'] === null ? null : parseCount(value['lastTs'])
  const csv = value['csv'] === null ? null : parseCsvState(value['csv'])
  if (typeof key !== 'string' || typeof isLineOpen !== 'boolean' || typeof isGzip !== 'boolean')
    return undefined
  if (!isCount(offset) || !isCount(line) || !isCount(size) || !isFormatName(format)) return undefined
  if (head === undefined || tail === undefined || lastTs === undefined || csv === undefined) return undefined
  return { version: 1, key, path, offset, line, isLineOpen, size, isGzip, head, tail, format, lastTs, csv }
}

function parseFingerprint(value: unknown): Fingerprint | undefined {
  if (!isRecord(value)) return undefined
  const { bytes, sha256 } = value
  return isCount(bytes) && typeof sha256 === 'string' ? { bytes, sha256 } : undefined
}

function parseCsvState(value: unknown): CsvState | undefined {
  if (!isRecord(value)) return undefined
  const { delimiter, header, types, isHeaderRead } = value
  if (typeof delimiter !== 'string' || typeof isHeaderRead !== 'boolean') return undefined
  if (!isListOf(header, (name) => typeof name === 'string') || !isListOf(types, isColumnType))
    return undefined
  return { delimiter, header, types, isHeaderRead }
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem)
}

function parseCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? Number(value) : undefined
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
