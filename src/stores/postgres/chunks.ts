/**
 * Which operations of a run go together in one statement.
 *
 * Keeps: law 4 (where one statement ends and the next begins decides no outcome). A statement of many rows is judged
 * differently from many statements where its rows can meet, so it takes only what cannot: where triggers run or one
 * row may satisfy another's constraint, each operation has a statement of its own; updates and deletes, which are made
 * in no order, also where one may free a key for another or take another's rows with it; and rows are told apart by
 * what their keys are to the database, not by how they are written: `1` and `1.0` are one numeric.
 *
 * It breaks when a way to meet is not thought of: `test/conformance/postgres-together.test.ts` holds random runs
 * against the same operations one at a time.
 */
import type { Run, Shape } from '../../contracts/operation.ts'
import type { Value } from '../../contracts/values.ts'
import type { CatalogColumn } from '../../sql/postgres-catalog.ts'
import type { DatabaseSchema } from './schema.ts'

/** Where each of a run's statements begins, and how many of its operations it takes. */
export function chunksOf(
  schema: DatabaseSchema,
  run: Run,
): readonly (readonly [index: number, rows: number])[] {
  if (run.count === 1) return byItself
  if (!goTogether(schema, run)) return Array.from({ length: run.count }, (_, index) => [index, 1] as const)
  const keys = keysOf(schema, run.shape)
  const chunks: (readonly [number, number])[] = []
  for (let index = 0; index < run.count;) {
    const rows = apartFrom(run, index, keys)
    chunks.push([index, rows])
    index += rows
  }
  return chunks
}

const byItself: readonly (readonly [index: number, rows: number])[] = [[0, 1]]

function goTogether(schema: DatabaseSchema, { shape, values }: Run): boolean {
  if (shape.kind === 'statement') return false
  const traits = schema.traits.get(shape.table)
  if (!traits?.isPlain || traits.isDeferred) return false
  if (shape.kind === 'insert' || shape.kind === 'upsert') return true
  if (shape.expect !== undefined && shape.expect !== 1) return false
  if (shape.kind === 'delete') return !traits.cascades && !values.includes(null)
  const { set, where, width } = shape
  if (traits.hasOtherKeys || set.some((column) => where.includes(column))) return false
  return values.every((value, at) => value !== null || at % width < set.length)
}

interface Key {
  /** Where its value stands among those of an operation. */
  readonly place: number
  readonly comparesAs: CatalogColumn['comparesAs']
  /** Rows that meet unseen make the statement fail, and come apart then. */
  readonly failsIfMet: boolean
}

/** The columns that name the row, for shapes whose operations may meet on one. */
function keysOf(schema: DatabaseSchema, shape: Shape): Key[] {
  if (shape.kind === 'statement' || shape.kind === 'insert') return []
  const columns = schema.traits.get(shape.table)?.columns
  const names = shape.kind === 'upsert' ? shape.columns : shape.where
  const before = shape.kind === 'update' ? shape.set.length : 0
  // By the primary key alone: what else is asked of the row does not make it another.
  const key = schema.tables.get(shape.table)?.primaryKey ?? names
  return key.map((name) => ({
    place: before + names.indexOf(name),
    comparesAs: columns?.get(name)?.comparesAs,
    failsIfMet: shape.kind === 'upsert',
  }))
}

/** How many operations from `index` on are certainly of different rows. */
function apartFrom({ shape, values, count }: Run, index: number, keys: readonly Key[]): number {
  if (keys.length === 0) return count - index
  const seen = new Set<string>()
  for (let row = index; row < count; row++) {
    const parts = keys.map((key) => keyText(values[row * shape.width + key.place] as Value, key))
    const text = parts.join('\u0000')
    if (seen.has(text) || parts.includes(undefined)) return Math.max(1, row - index)
    seen.add(text)
  }
  return count - index
}

const wholeNumber = /^(?:0|-?[1-9]\d*)$/
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** The same for what the database finds equal, and only for that. @returns undefined when nobody can say */
function keyText(value: Value, { comparesAs, failsIfMet }: Key): string | undefined {
  const text = String(value)
  if (failsIfMet) return text
  switch (comparesAs) {
    case 'integer':
      return wholeNumber.test(text) ? text : undefined
    case 'text':
      return value instanceof Uint8Array ? undefined : text
    case 'padded':
      return value instanceof Uint8Array ? undefined : text.replace(/ +$/, '')
    case 'uuid':
      return uuid.test(text) ? text : undefined
    case 'instant':
      return instant.test(text) ? text : undefined
    case undefined:
      return undefined
  }
}
