/** Whether the pages of a file hold together, and its rows their promises to each other. */
import type { DatabaseSync } from 'node:sqlite'
import { corruptHint } from '../../stores/sqlite/classify.ts'
import type { DatabaseFile } from './database-file.ts'
import { bytes, counted, fail, ok, warn, type Finding } from './finding.ts'

/** So many problems are listed; the first tells as much as all. */
const maxProblems = 3
/** To read more would take minutes, which whoever runs it should have asked for. */
const maxQuickBytes = 2 ** 30

export function integrity(database: DatabaseSync, { size }: DatabaseFile, isFull: boolean): Finding {
  const name = 'integrity'
  if (!isFull && size > maxQuickBytes)
    return ok(name, `not looked at: the file has ${bytes(size)}; --full reads all of it`)
  const check = isFull ? 'integrity_check' : 'quick_check'
  const problems = database
    .prepare(`PRAGMA ${check}(${maxProblems})`)
    .all()
    .map((row) => String(row[check]).replaceAll('\n', ' '))
  if (problems.join() !== 'ok') return fail(name, problems.join('; '), corruptHint)
  return ok(
    name,
    isFull ? 'every page and every index' : 'every page (quick check; --full compares indexes too)',
  )
}

export function foreignKeys(database: DatabaseSync): Finding {
  const name = 'foreign keys'
  const tables = database
    .prepare('SELECT "table" AS name, count(*) AS count FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1')
    .all()
  if (tables.length === 0) return ok(name, 'every row that is referred to is there')
  const listed = tables.map((row) => `${counted(Number(row['count']), 'row')} of "${String(row['name'])}"`)
  return warn(
    name,
    `${listed.join(', ')} refer to rows that are not there`,
    'See them: PRAGMA foreign_key_check in the sqlite3 shell. Tidemark keeps such rows from being written; others, and ' +
      'the shell, do not unless they are told.',
  )
}
