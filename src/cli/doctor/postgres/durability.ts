/** Which server it is, and what a commit on it survives. */
import { fail, ok, warn, type Finding } from '../finding.ts'
import type { Check, Row } from './examine.ts'

export const durabilityChecks: readonly Check[] = [
  {
    name: 'version',
    find: async (ask) => {
      const [row] = await ask(
        "SELECT current_setting('server_version') AS text, current_setting('server_version_num')::int AS number",
      )
      return judgeVersion(String(row?.['text']), Number(row?.['number']))
    },
  },
  {
    name: 'role',
    find: async (ask) => {
      const [row] = await ask(
        `SELECT pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') AS own,
           coalesce(s.setting, 'off') AS read_only
         FROM (SELECT max(reset_val) AS setting FROM pg_settings WHERE name = 'default_transaction_read_only') s`,
      )
      return judgeRole(row ?? {})
    },
  },
  {
    name: 'durability',
    find: async (ask) => judgeDurability(await settingsOf(ask, durabilityNames)),
  },
  {
    name: 'standbys',
    find: async (ask) => {
      const { synchronous_standby_names: names = '', synchronous_commit: level = '' } = await settingsOf(
        ask,
        ['synchronous_standby_names', 'synchronous_commit'],
      )
      const rows = await ask(
        "SELECT coalesce(sync_state, '') AS state FROM pg_stat_replication WHERE state = 'streaming'",
      )
      return judgeStandbys(
        names,
        level,
        rows.map(({ state }) => String(state)),
      )
    },
  },
  {
    name: 'replication slots',
    find: async (ask) => {
      const rows = await ask(
        `SELECT slot_name AS name, active AS is_active, wal_status AS status,
           CASE WHEN pg_is_in_recovery() THEN 0
             ELSE coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0) END::float8 AS bytes
         FROM pg_replication_slots ORDER BY 4 DESC`,
      )
      return judgeSlots(rows)
    },
  },
]

const durabilityNames = ['fsync', 'full_page_writes', 'synchronous_commit', 'wal_level']

/** As a new connection gets them, and not as this one has set them for itself. */
async function settingsOf(
  ask: (sql: string) => Promise<readonly Row[]>,
  names: readonly string[],
): Promise<Record<string, string>> {
  const list = names.map((name) => `'${name}'`).join(', ')
  const rows = await ask(`SELECT name, reset_val AS value FROM pg_settings WHERE name IN (${list})`)
  return Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)]))
}

const neededVersion = 150_000

export function judgeVersion(text: string, number: number): Finding {
  return number >= neededVersion
    ? ok('version', `PostgreSQL ${text}`)
    : fail(
        'version',
        `PostgreSQL ${text}, and 15 is needed`,
        'Upgrade the server: pg_upgrade, or a new one and a dump.',
      )
}

export function judgeRole(row: Row): Finding {
  const name = 'role'
  if (row['is_standby'] === true)
    return fail(
      name,
      'a standby: it takes no writes',
      'Give the URL of its primary. In a program, `postgres([…])` takes all of them and finds the one that takes writes.',
    )
  if (row['read_only'] === 'on')
    return warn(
      name,
      'a primary, on which transactions of this user only read unless they are told otherwise',
      'Tidemark tells its own so. Programs beside it may be meant not to write; see default_transaction_read_only.',
    )
  return ok(name, 'a primary: it takes writes')
}

export function judgeDurability(settings: Readonly<Record<string, string>>): Finding {
  const name = 'durability'
  const { fsync, full_page_writes: pages, synchronous_commit: level, wal_level: log } = settings
  const found = `fsync ${fsync}, full_page_writes ${pages}, synchronous_commit ${level}, wal_level ${log}`
  if (fsync === 'off')
    return fail(
      name,
      `${found}: after a crash of the machine the database may be damaged beyond repair`,
      "Set fsync = on and restart. Only a database that may be lost, as a test's, does without.",
    )
  if (pages === 'off')
    return fail(
      name,
      `${found}: a page that was half written when the machine crashed stays damaged`,
      'Set full_page_writes = on, unless the file system writes pages whole (ZFS).',
    )
  if (level === 'off')
    return warn(
      name,
      `${found}: others lose their newest commits in a crash of the server`,
      'Tidemark sets its own connections to `synchronousCommit`, on unless you say otherwise.',
    )
  if (log === 'minimal')
    return warn(
      name,
      `${found}: neither standbys nor backups of a running server are possible`,
      'Set wal_level = replica and restart.',
    )
  return ok(name, found)
}

export function judgeStandbys(names: string, level: string, states: readonly string[]): Finding {
  const name = 'standbys'
  const found =
    states.length === 0 ? 'none is connected' : `${states.length} connected (${states.join(', ')})`
  if (names === '') return ok(name, `commits wait for none; ${found}`)
  if (states.some((state) => state === 'sync' || state === 'quorum'))
    return ok(name, `commits wait for "${names}"; ${found}`)
  // Which would not wait at all.
  if (level === 'off' || level === 'local')
    return ok(name, `"${names}" is named, but commits do not wait; ${found}`)
  return fail(
    name,
    `commits wait for a standby "${names}", and none of that name is connected: every commit hangs`,
    "Start the standby, or let the server go on without: ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()",
  )
}

/** More than this is kept for nobody. */
const muchWal = 2 ** 30

export function judgeSlots(rows: readonly Row[]): Finding {
  const name = 'replication slots'
  if (rows.length === 0) return ok(name, 'none')
  const listed = (slots: readonly Row[]): string =>
    slots
      .map((slot) => `"${String(slot['name'])}" (${Math.round(Number(slot['bytes']) / 2 ** 20)} MiB)`)
      .join(', ')
  const lost = rows.filter(({ status }) => status === 'lost' || status === 'unreserved')
  if (lost.length > 0)
    return warn(
      name,
      `${listed(lost)} fell behind by more than is kept: what reads them cannot go on`,
      'Make its standby anew, then: SELECT pg_drop_replication_slot(NAME)',
    )
  const unread = rows.filter((slot) => slot['is_active'] === false)
  const large = unread.filter(({ bytes }) => Number(bytes) > muchWal)
  if (large.length > 0)
    return fail(
      name,
      `${listed(large)} kept for readers that are gone: the log grows until the disk is full`,
      'Start what reads it, or drop it: SELECT pg_drop_replication_slot(NAME). max_slot_wal_keep_size bounds all of them.',
    )
  if (unread.length > 0)
    return warn(
      name,
      `nothing reads ${listed(unread)}: the server keeps its log for it`,
      'Start what reads it, or drop it: SELECT pg_drop_replication_slot(NAME)',
    )
  return ok(name, `${listed(rows)}, all read`)
}
