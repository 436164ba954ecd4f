/**
 * The server that all contenders of a run share: started for it, with real commits, or one that is there already.
 * Each job gets a database of its own in it.
 */
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { existsSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import {
  debianPostgres,
  embeddedPostgres,
  ownFolder,
  PostgresServer,
  queryAt,
  type Settings,
} from '../../../test/support/servers/postgres.ts'
import { UsageError } from '../../options/parse.ts'

export interface BenchServer extends AsyncDisposable {
  /** Makes a database, hands its URL to `work`, and drops it. */
  inDatabase<Result>(tables: readonly string[], work: (url: string) => Promise<Result>): Promise<Result>
  /** What it has used of the processors so far; undefined where nobody can tell. */
  readCpuUs(): number | undefined
  /** What it says of itself: version, settings. */
  describe(): Promise<Readonly<Record<string, string>>>
  /** Where it was started for this run. */
  readonly own: PostgresServer | undefined
}

/** As PostgreSQL comes, with memory for the tables, and with nothing that would begin by itself in somebody's round. */
const SETTINGS: Settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
}
const SHOWN = [
  'server_version',
  ...Object.keys(SETTINGS),
  'wal_sync_method',
  'commit_delay',
  'synchronous_standby_names',
]

export async function startServer(which: string, folder: string | undefined): Promise<BenchServer> {
  if (which !== 'embedded' && which !== 'debian') return serverAt(which, undefined)
  // Whoever makes temporary folders asks for it.
  if (folder !== undefined) process.env['TMPDIR'] = path.resolve(folder)
  const { name, programs, install } = which === 'embedded' ? embeddedPostgres : debianPostgres
  const program = programs.find((one) => existsSync(one))
  if (program === undefined) throw new UsageError(`${name} is not installed: ${install}`)
  return await startOwn(program, {})
}

async function startOwn(program: string, settings: Settings): Promise<BenchServer> {
  const server = await PostgresServer.start(program, { ...SETTINGS, ...settings })
  // When the run is interrupted nobody disposes of anything.
  process.once('exit', () => rmSync(server.folder, { recursive: true, force: true }))
  return serverAt(server.url(), server)
}

export interface SlowServer extends AsyncDisposable {
  readonly server: BenchServer
  readonly how: string
}

const DELAY_US = 1_000

/**
 * Another server from the same programs, each of whose syncs takes 1 ms longer. `strace` makes the system call itself
 * last longer, whoever issues it, and leaves all other calls alone. Without it the server's own `commit_delay` sleeps
 * before each sync: those who come meanwhile go along, which a slow disk does not allow, so that many connections fare
 * better by it.
 */
export async function startSlowServer({ programs, identity }: PostgresServer): Promise<SlowServer> {
  if (spawnSync('strace', ['-V']).status !== 0) {
    const settings = { commit_delay: DELAY_US, commit_siblings: 0 }
    const server = await startOwn(path.join(programs, 'postgres'), settings)
    const how = 'commit_delay, which favours many connections: strace is not installed'
    return { server, how, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  }
  const folder = ownFolder('tidemark-bench-slow-', identity)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(path.join(programs, 'initdb'), path.join(folder, 'initdb'))
  const strace = `strace -D -f --seccomp-bpf -qqq -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_exit=${DELAY_US}`
  const script = `#!/bin/sh\nexec ${strace} '${path.join(programs, 'postgres')}' "$@"\n`
  writeFileSync(path.join(folder, 'postgres'), script, { mode: 0o755 })
  const server = await startOwn(path.join(folder, 'postgres'), {})
  return {
    server,
    how: 'strace delays the end of each fsync and fdatasync',
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

let databases = 0

function serverAt(url: string, own: PostgresServer | undefined): BenchServer {
  return {
    own,
    async inDatabase(tables, work) {
      const name = `tidemark_bench_${process.pid}_${++databases}`
      await queryAt(url, `CREATE DATABASE ${name}`)
      const address = new URL(url)
      address.pathname = `/${name}`
      try {
        for (const table of tables) await queryAt(address.href, table)
        // All begin with an empty log; a server that is somebody else's may refuse to be told.
        await queryAt(url, 'CHECKPOINT').catch(() => undefined)
        return await work(address.href)
      } finally {
        await queryAt(url, `DROP DATABASE ${name} WITH (FORCE)`)
      }
    },
    readCpuUs: () => (own ? readCpuUs(own) : undefined),
    async describe() {
      const columns = SHOWN.map((name) => `current_setting('${name}') AS ${name}`)
      const [row = {}] = await queryAt(url, `SELECT ${columns.join(', ')}`)
      return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)]))
    },
    async [Symbol.asyncDispose]() {
      await own?.[Symbol.asyncDispose]()
    },
  }
}

/** Of the server's first process, of all that it has started, and of those that have ended. Linux only. */
function readCpuUs({ folder }: PostgresServer): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path.join(folder, 'data', 'postmaster.pid'), 'utf8'), 10)
    let ticks = 0
    for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
      const fields = statOf(name)
      if (Number(name) !== pid && Number(fields[1]) !== pid) continue
      // utime and stime, then those of its children that it has waited for: as proc(5) counts them, after the name.
      ticks += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])
    }
    return (ticks / TICKS_PER_SECOND) * 1e6
  } catch {
    return undefined
  }
}

/** What Linux tells programs, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100

/** From the state on: the name before it may hold anything. */
function statOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    // It has ended meanwhile.
    return []
  }
}
