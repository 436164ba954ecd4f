/** How the effects of a kind are recovered, in the SQL that a person writes. */
import { readFileSync } from 'node:fs'
import { isObject } from '../json-object.ts'
import type { RecoveryQueries } from '../server/index.ts'
import { CommandError, EXIT } from './failure.ts'

interface RecoverySql {
  readonly missing?: string | undefined
  /** Of the keys of all rows. */
  readonly existing?: string | undefined
}

export function queriesOf({ missing, existing }: RecoverySql): RecoveryQueries {
  return {
    ...(missing !== undefined && { missing: asQuery(missing) }),
    ...(existing !== undefined && { existing: () => asQuery(existing) }),
  }
}

/** @throws CommandError for a file that is not there, is not JSON, or says anything else than SQL by kind */
export function readRecoveries(file: string): Record<string, RecoveryQueries> {
  const kinds = parse(file)
  if (!isObject(kinds)) throw wrong(file, 'it must be an object: of each kind, its queries')
  return Object.fromEntries(Object.entries(kinds).map(([kind, given]) => [kind, ofKind(file, kind, given)]))
}

function ofKind(file: string, kind: string, given: unknown): RecoveryQueries {
  if (!isObject(given)) throw wrong(file, `${JSON.stringify(kind)} must be an object of SELECTs`)
  const { missing, existing, ...others } = given
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw wrong(file, `${JSON.stringify(kind)} has "${other}", and only missing and existing are known`)
  return queriesOf({
    missing: textOf(file, kind, 'missing', missing),
    existing: textOf(file, kind, 'existing', existing),
  })
}

function textOf(file: string, kind: string, name: string, sql: unknown): string | undefined {
  if (sql === undefined || (typeof sql === 'string' && sql.trim() !== '')) return sql
  throw wrong(file, `"${name}" of ${JSON.stringify(kind)} must be a SELECT in a text`)
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (error) {
    throw wrong(file, error instanceof Error ? error.message : String(error))
  }
}

function wrong(file: string, problem: string): CommandError {
  return new CommandError(
    EXIT.usage,
    `${file} does not say how effects are recovered: ${problem}.`,
    'Such as: { "embed": { "missing": "SELECT id AS key, body AS payload FROM chunks WHERE vector IS NULL" } }',
  )
}

function asQuery(sql: string): { readonly sql: string; readonly parameters: readonly unknown[] } {
  return { sql, parameters: [] }
}
