/** What Tidemark's own tables say: their format, the writers that are open, the dead letters, and what is left behind. */
import { bookkeepingFormat } from '../../../sql/bookkeeping.ts'
import { counted, fail, ok, warn, type Finding } from '../finding.ts'
import type { Ask, Check, Row } from './examine.ts'

export function bookkeepingChecks(called: string): readonly Check[] {
  return [
    { name: 'bookkeeping', find: bookkeeping },
    {
      name: 'writers',
      find: ifThere('writers', 'tidemark_writers', async (ask) =>
        judgeWriters(
          await ask(
            `SELECT w.writer, to_timestamp(w.opened_at / 1000.0) AS since,
               (SELECT count(*)::int FROM pg_stat_activity a
                WHERE a.datname = current_database() AND a.application_name = 'tidemark') AS connected
             FROM tidemark_writers w WHERE w.closed = 0 ORDER BY w.epoch`,
          ),
        ),
      ),
    },
    {
      name: 'dead letters',
      find: ifThere('dead letters', 'tidemark_dead_letters', async (ask) =>
        judgeLetters(
          await ask(
            'SELECT code, count(*)::int AS count FROM tidemark_dead_letters GROUP BY code ORDER BY 2 DESC, 1',
          ),
          called,
        ),
      ),
    },
    {
      name: 'row versions',
      find: ifThere('row versions', 'tidemark_writers', async (ask) => {
        const [row] = await ask(
          `SELECT n_live_tup::float8 AS live, n_dead_tup::float8 AS dead,
             pg_relation_size(relid)::float8 AS bytes FROM pg_stat_all_tables WHERE relid = to_regclass('tidemark_writers')`,
        )
        return judgeVersions(row ?? {})
      }),
    },
  ]
}

function ifThere(name: string, table: string, find: (ask: Ask) => Promise<Finding>) {
  return async (ask: Ask): Promise<Finding> =>
    (await ask(`SELECT 1 WHERE to_regclass('${table}') IS NOT NULL`)).length > 0
      ? await find(ask)
      : ok(name, 'there is no bookkeeping yet')
}

async function bookkeeping(ask: Ask): Promise<Finding> {
  const name = 'bookkeeping'
  const [found] = await ask(
    "SELECT to_regclass('tidemark_database') IS NOT NULL AS database, to_regclass('tidemark_writers') IS NOT NULL AS writers",
  )
  if (found?.['database'] !== true)
    return ok(name, 'there is none: Tidemark never opened this database to write')
  const rows = found['writers'] === true ? await ask('SELECT format FROM tidemark_database') : []
  const format = rows[0]?.['format']
  return judgeFormat(format === undefined ? undefined : Number(format))
}

/** @param format undefined: what there is was made before formats had numbers */
export function judgeFormat(format: number | undefined): Finding {
  const name = 'bookkeeping'
  if (format === bookkeepingFormat) return ok(name, `format ${bookkeepingFormat}, as this version writes it`)
  const made = format === undefined ? 'an earlier, unreleased version' : `another version (format ${format})`
  return fail(
    name,
    `the tidemark_ tables were made by ${made} of Tidemark, which this one cannot read`,
    'Open it with that version, or move its rows to a new database.',
  )
}

export function judgeWriters(rows: readonly Row[]): Finding {
  const name = 'writers'
  const [first] = rows
  if (first === undefined) return ok(name, 'all were closed')
  const listed = rows.slice(-5).map(({ writer, since }) => `"${String(writer)}" since ${timeText(since)}`)
  const finding = `${counted(rows.length, 'writer')} not closed: ${listed.join(', ')}`
  if (Number(first['connected']) > 0) return ok(name, finding)
  return warn(
    name,
    `${finding}; but no engine is connected to this database, so they ended without closing`,
    'Nothing that was acknowledged is lost. A name that is opened again closes its older ones; run the same program, or ' +
      'the same ingest, again.',
  )
}

export function judgeLetters(codes: readonly Row[], called: string): Finding {
  const name = 'dead letters'
  const sum = codes.reduce((all, { count }) => all + Number(count), 0)
  if (sum === 0) return ok(name, 'none')
  const each = codes.map(({ code, count }) => `${String(count)} ${String(code)}`).join(', ')
  return warn(
    name,
    `${counted(sum, 'operation')} could not be written: ${each}`,
    `See them: npx tidemark dead-letters --store ${called}; mend the cause, then: npx tidemark dead-letters redrive ID...`,
  )
}

/** What a vacuum every minute, as is the default, leaves of the fastest writer. */
const manyVersions = 100_000

export function judgeVersions(row: Row): Finding {
  const name = 'row versions'
  const [live, dead, bytes] = [Number(row['live'] ?? 0), Number(row['dead'] ?? 0), Number(row['bytes'] ?? 0)]
  const finding = `tidemark_writers has ${counted(dead, 'dead version')} beside ${counted(live, 'row')}, ${Math.round(bytes / 1024)} KiB`
  if (dead < manyVersions) return ok(name, finding)
  return warn(
    name,
    `${finding}: each commit looks through them`,
    'Something keeps them from being cleaned up (see "open transactions"), or autovacuum is off. Then: VACUUM tidemark_writers',
  )
}

function timeText(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value)
}
