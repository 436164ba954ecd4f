/** What rows are made of, whatever format they were read from. */
import type { LogFormatName } from '../../../logs/formats/format.ts'

export type FormatName = LogFormatName | 'csv'

export type ColumnType = 'INTEGER' | 'REAL' | 'TEXT'

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** What a column of a row can hold. A bigint is an integer that a number cannot hold exactly. */
export type Value = string | number | bigint | null
export type Row = Record<string, Value>

/** The columns that every log format fills, in the order of the log table. */
export const LOG_COLUMNS: readonly Column[] = [
  { name: 'ts', type: 'INTEGER' },
  { name: 'level', type: 'TEXT' },
  { name: 'service', type: 'TEXT' },
  { name: 'message', type: 'TEXT' },
  { name: 'attributes', type: 'TEXT' },
]
