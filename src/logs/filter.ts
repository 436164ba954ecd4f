/** Which entries are wanted, as SQL. What the full-text index can narrow it narrows; the row itself decides. */
import type { Value } from '../contracts/values.ts'
import { TidemarkError } from '../errors.ts'
import { LEVELS } from './entry.ts'
import type { Level } from './formats/format.ts'
import { matchOf, phraseIn } from './match.ts'
import type { LogTable } from './table.ts'

export interface Filter {
  /**
   * Words that must all occur in the message, the service or the attributes: `"a phrase"`, `begin*`, `-without`,
   * `this OR that`. Capitals and accents make no difference.
   */
  readonly text?: string
  /** This level or a more severe one. */
  readonly level?: Level
  readonly service?: string
  /** Attributes of the entry's first level, by name; numbers and booleans as JSON writes them. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Not older, in milliseconds since 1970. */
  readonly fromMs?: number
  /** Older than this. */
  readonly toMs?: number
}

export interface Conditions {
  /** Only indexed rows can be found. */
  readonly usesIndex: boolean
  /** FROM and WHERE, `l` being the log table; more conditions may follow. @param index a full-text index, where it is used */
  readonly sqlOver: (index: string) => string
  readonly parameters: readonly Value[]
  /** The column of ids that a range and an order are to be asked of. */
  readonly id: string
}

/** @throws TidemarkError `INVALID_CALL` */
export function conditionsOf(table: LogTable, filter: Filter): Conditions {
  const { level, service, attributes = {}, fromMs, toMs } = filter
  const rows: [string, ...Value[]][] = []
  const match: (string | undefined)[] = [textMatch(filter.text)]
  if (level !== undefined && levelsFrom(level).length < LEVELS.length) {
    match.push(`level : (${levelsFrom(level).join(' OR ')})`)
    rows.push([
      `l.level IN (${levelsFrom(level)
        .map((name) => `'${name}'`)
        .join(', ')})`,
    ])
  }
  if (service !== undefined) {
    match.push(phraseIn('service', service))
    rows.push(['l.service = ?', service])
  }
  for (const [name, value] of Object.entries(attributes)) {
    // As the index has it: the name and its value are neighbours in the JSON text.
    match.push(phraseIn('attributes', JSON.stringify({ [name]: value })))
    const path = `$.${JSON.stringify(name)}`
    rows.push([attributeIs, path, path, value])
  }
  if (fromMs !== undefined) rows.push(['l.ts >= ?', fromMs])
  if (toMs !== undefined) rows.push(['l.ts < ?', toMs])

  const narrowing = match.filter((part) => part !== undefined)
  const usesIndex = narrowing.length > 0
  const conditions = rows.map(([sql]) => sql)
  const parameters = rows.flatMap(([, ...values]) => values)
  if (!usesIndex) {
    const where = ['true', ...conditions].join(' AND ')
    return { usesIndex, sqlOver: () => `FROM ${table.name} AS l WHERE ${where}`, parameters, id: 'l.id' }
  }
  const where = conditions.map((condition) => ` AND ${condition}`).join('')
  return {
    usesIndex,
    sqlOver: (index) =>
      `FROM ${index} AS t CROSS JOIN ${table.name} AS l ON l.id = t.rowid WHERE ${index} MATCH ?${where}`,
    parameters: [narrowing.map((part) => `(${part})`).join(' AND '), ...parameters],
    id: 't.rowid',
  }
}

/** SQLite tells true and false of JSON as 1 and 0. */
const attributeIs = `CASE WHEN json_valid(l.attributes) THEN CASE json_type(l.attributes, ?)
  WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(l.attributes ->> ? AS TEXT) END = ? END`

function textMatch(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const match = matchOf(text)
  if (match === undefined)
    throw new TidemarkError('INVALID_CALL', 'the text to search for holds no word.', {
      hint: 'Search for letters or digits; what stands between words is not in the index.',
    })
  return match
}

function levelsFrom(level: Level): readonly Level[] {
  const first = LEVELS.indexOf(level)
  if (first < 0)
    throw new TidemarkError(
      'INVALID_CALL',
      `level must be one of ${LEVELS.join(', ')}, not ${JSON.stringify(level)}.`,
    )
  return LEVELS.slice(first)
}
