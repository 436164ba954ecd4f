/** Who holds what: connections, a pooler between, transactions that stay open, and locks. */
import { POSTGRES_DEFAULTS } from '../../../stores/postgres/options.ts'
import { counted, fail, ok, warn, type Finding } from '../finding.ts'
import type { Ask, Check, Row } from './examine.ts'

/** Of an engine at most: one that commits, one beside it, and those that read. */
const connectionsOfEngine = 2 + POSTGRES_DEFAULTS.readers.max

/** @param hold opens another connection, and a transaction on it that stays open */
export function connectionChecks(hold: () => Promise<AsyncDisposable>): readonly Check[] {
  return [
    {
      name: 'connections',
      find: async (ask) => {
        const [row] = await ask(
          `SELECT count(*)::int AS used, count(*) FILTER (WHERE application_name = 'tidemark')::int AS ours,
           current_setting('max_connections')::int AS most,
           current_setting('superuser_reserved_connections')::int AS reserved,
           (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
             - count(*) FILTER (WHERE usename = current_user)::int AS free_of_role,
           (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
             - count(*) FILTER (WHERE datname = current_database())::int AS free_of_database
         FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
        )
        return judgeConnections(row ?? {})
      },
    },
    { name: 'pooler', find: async (ask) => judgePooler(await backends(ask, hold)) },
    {
      name: 'open transactions',
      find: async (ask) =>
        judgeTransactions(
          await ask(
            `SELECT pid, coalesce(application_name, '') AS program, coalesce(state, '') AS state,
             extract(epoch FROM now() - xact_start)::float8 AS seconds
           FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
           UNION ALL
           SELECT 0, gid, 'prepared', extract(epoch FROM now() - prepared)::float8
           FROM pg_prepared_xacts WHERE database = current_database()
           ORDER BY 4 DESC`,
          ),
        ),
    },
    {
      name: 'locks',
      find: async (ask) =>
        judgeLocks(
          await ask(
            `SELECT w.pid AS waiting, coalesce(w.application_name, '') AS program, b.pid AS by,
             coalesce(b.application_name, '') AS by_program, coalesce(b.state, '') AS by_state,
             extract(epoch FROM now() - w.query_start)::float8 AS seconds
           FROM pg_stat_activity w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS blocking(pid)
             LEFT JOIN pg_stat_activity b ON b.pid = blocking.pid
           WHERE w.wait_event_type = 'Lock' AND w.datname = current_database()
           ORDER BY 6 DESC`,
          ),
        ),
    },
  ]
}

export function judgeConnections(row: Row): Finding {
  const name = 'connections'
  const [used, ours, most] = [Number(row['used']), Number(row['ours']), Number(row['most'])]
  // Null where there is no limit of its own.
  const free = Math.min(
    most - Number(row['reserved']) - used,
    ...[row['free_of_role'], row['free_of_database']].map((left) => Number(left ?? Infinity)),
  )
  const found = `${used} of ${most} taken, ${ours} of them by engines; an engine takes up to ${connectionsOfEngine}`
  if (free >= connectionsOfEngine) return ok(name, found)
  const advice =
    'Let engines read on fewer, raise max_connections, or end connections that nobody needs: SELECT * FROM pg_stat_activity'
  return free < 3 ? fail(name, found, advice) : warn(name, found, advice)
}

/** The backends that answer two statements of one connection. The first is wanted by another one in between. */
async function backends(ask: Ask, hold: () => Promise<AsyncDisposable>): Promise<number[]> {
  const backend = async (): Promise<number> =>
    Number((await ask('SELECT pg_backend_pid() AS pid'))[0]?.['pid'])
  const before = await backend()
  await using _ = await hold()
  return [before, await backend()]
}

export function judgePooler(pids: readonly number[]): Finding {
  const name = 'pooler'
  if (new Set(pids).size <= 1) return ok(name, 'none that hands statements of one connection to several')
  return fail(
    name,
    'a pooler hands out a connection for a transaction or a statement: prepared statements and settings get lost',
    "Give Tidemark the server's own port, or a pool whose mode is `session`; it needs a few connections only.",
  )
}

export function judgeTransactions(rows: readonly Row[]): Finding {
  const name = 'open transactions'
  const old = rows.filter(({ seconds }) => Number(seconds) > 60)
  if (old.length === 0) return ok(name, `${rows.length}, and none is older than a minute`)
  const listed = old.slice(0, 3).map((row) => {
    const who =
      row['state'] === 'prepared'
        ? `prepared "${String(row['program'])}"`
        : `process ${String(row['pid'])} (${String(row['program']) || 'no name'}, ${String(row['state'])})`
    return `${who} for ${duration(Number(row['seconds']))}`
  })
  return warn(
    name,
    `${counted(old.length, 'transaction')} open for over a minute: ${listed.join(', ')}`,
    "While it is open nothing that changed since can be cleaned up: every commit leaves a version of its tidemark's row " +
      'behind, and commits get slower. End it: SELECT pg_terminate_backend(PID), or ROLLBACK PREPARED',
  )
}

export function judgeLocks(rows: readonly Row[]): Finding {
  const name = 'locks'
  const [longest] = rows
  // Engines wait for each other's rows for a moment, now and then.
  if (longest === undefined || Number(longest['seconds']) < 1)
    return ok(name, longest === undefined ? 'nobody waits for one' : 'nobody waits for long')
  const isOurs = rows.some(({ program }) => String(program).startsWith('tidemark'))
  const found =
    `${counted(rows.length, 'statement')} waiting, ${isOurs ? 'of engines too' : 'none of an engine'}; the longest for ` +
    `${duration(Number(longest['seconds']))} on process ${String(longest['by'])} ` +
    `(${String(longest['by_program']) || 'no name'}, ${String(longest['by_state']) || 'unknown'})`
  return warn(
    name,
    found,
    `If it will not end by itself: SELECT pg_terminate_backend(${String(longest['by'])})`,
  )
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
