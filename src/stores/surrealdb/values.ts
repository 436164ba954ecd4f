/** Values on their way to SurrealDB and back. */
import { DateTime, Decimal, Duration, RecordId, StringRecordId, Table, Uuid } from 'surrealdb'
import { decodeDocument } from '../../documents.ts'
import type { Value } from '../../contracts/values.ts'

/** As the client takes it. */
export function toDatabase(value: Value): unknown {
  return decodeDocument(value, revive)
}

function revive(type: string, text: string): unknown {
  switch (type) {
    case 'RecordId':
    case 'StringRecordId':
      return new StringRecordId(text)
    case 'DateTime':
      return new DateTime(text)
    case 'Uuid':
      return new Uuid(text)
    case 'Decimal':
      return new Decimal(text)
    case 'Duration':
      return new Duration(text)
    default:
      return new Table(text)
  }
}

/** The record of a table with this key; of several values where its key has several columns. */
export function recordId(table: string, key: readonly unknown[]): RecordId | StringRecordId {
  const [first] = key
  if (key.length === 1 && first instanceof StringRecordId) return first
  return new RecordId(table, (key.length === 1 ? first : key) as string)
}

/** A row as plain data: nothing is missing, and `id` is the key that was written, not the record. */
export function fromDatabase(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const name in row) plain[name] = plainOf(name, row[name])
  return plain
}

function plainOf(name: string, value: unknown): unknown {
  if (value === undefined) return null
  if (value instanceof DateTime) return value.toDate()
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (name === 'id' && value instanceof RecordId) return value.id
  return isPlainObject(value) ? fromDatabase(value) : value
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
