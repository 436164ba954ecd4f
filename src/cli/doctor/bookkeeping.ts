/** What Tidemark's own tables say: their format, the writers that are open, and the dead letters. */
import type { DatabaseSync } from 'node:sqlite'
import { bookkeepingFormat } from '../../sql/bookkeeping.ts'
import { bookkeepingFormatOf } from '../../stores/sqlite/bookkeeping.ts'
import { counted, fail, ok, warn, type Finding } from './finding.ts'

export function bookkeeping(database: DatabaseSync): Finding {
  const name = 'bookkeeping'
  const format = bookkeepingFormatOf(database)
  if (format === undefined) return ok(name, 'there is none: Tidemark never opened this database to write')
  if (format === bookkeepingFormat) return ok(name, `format ${format}, as this version writes it`)
  const made =
    format === 'unreleased' ? 'an earlier, unreleased version' : `another version (format ${format})`
  return fail(
    name,
    `the tidemark_ tables were made by ${made} of Tidemark, which this one cannot read`,
    'Open it with that version, or move its rows to a new file.',
  )
}

/** Whether there are tables that this version reads. */
export function hasBookkeeping(database: DatabaseSync): boolean {
  return bookkeepingFormatOf(database) === bookkeepingFormat
}

interface OpenWriter {
  readonly writer: string
  readonly since: string
}

/** @param holders how many processes have the file open; undefined where that cannot be seen */
export function openWriters(database: DatabaseSync, holders: number | undefined): Finding {
  const name = 'writers'
  const writers = database
    .prepare('SELECT writer, opened_at FROM tidemark_writers WHERE closed = 0 ORDER BY epoch')
    .all()
    .map(({ writer, opened_at: openedAt }): OpenWriter => {
      return { writer: String(writer), since: new Date(Number(openedAt)).toISOString() }
    })
  if (writers.length === 0) return ok(name, 'all were closed')
  const listed = writers.slice(-5).map(({ writer, since }) => `"${writer}" since ${since}`)
  const finding = `${counted(writers.length, 'writer')} not closed: ${listed.join(', ')}`
  if (holders !== 0) return ok(name, finding)
  return warn(
    name,
    `${finding}; but no process that can be seen has the file open, so they ended without closing`,
    'Nothing that was acknowledged is lost. A name that is opened again closes its older ones; run the same program, or ' +
      'the same ingest, again, and read how far it came.',
  )
}

export function deadLetters(database: DatabaseSync, path: string): Finding {
  const name = 'dead letters'
  const codes = database
    .prepare(
      'SELECT code, count(*) AS count FROM tidemark_dead_letters GROUP BY code ORDER BY count DESC, code',
    )
    .all()
    .map(({ code, count }) => ({ code: String(code), count: Number(count) }))
  const sum = codes.reduce((all, { count }) => all + count, 0)
  if (sum === 0) return ok(name, 'none')
  return warn(
    name,
    `${counted(sum, 'operation')} could not be written: ${codes.map(({ code, count }) => `${count} ${code}`).join(', ')}`,
    `See them: npx tidemark dead-letters --db ${path}; mend the cause, then: npx tidemark dead-letters redrive ID...`,
  )
}
