/** A private MariaDB, or MySQL where only that is installed: its own data folder, its own port, gone afterwards. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { requireProgram, type Service } from './installed.ts'
import { freePort, ServerProcess } from './process.ts'

const run = promisify(execFile)
const install = 'apt-get install mariadb-server'

export class MariaDb implements AsyncDisposable {
  /** How a driver reaches it, without a database. */
  readonly address: { readonly host: string; readonly port: number; readonly user: string }
  readonly #isMySql: boolean
  readonly #folder: string
  readonly #process: ServerProcess
  #databases = 0

  private constructor(isMySql: boolean, folder: string, port: number, server: ServerProcess) {
    this.#isMySql = isMySql
    this.#folder = folder
    this.#process = server
    this.address = { host: '127.0.0.1', port, user: 'root' }
  }

  static async start(program: string): Promise<MariaDb> {
    const isMySql = !(await run(program, ['--no-defaults', '--version'])).stdout.includes('MariaDB')
    const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-mariadb-'))
    try {
      const data = path.join(folder, 'data')
      // A server that root starts refuses to run as root unless it is told to.
      const common = [
        '--no-defaults',
        `--datadir=${data}`,
        ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ]
      if (isMySql) await run(program, [...common, '--initialize-insecure'])
      else await run(requireProgram('mariadb-install-db', install), [...common, ...installed])
      const port = await freePort()
      const options = [
        ...common,
        ...settings,
        ...(isMySql ? ['--mysqlx=OFF', '--innodb-flush-method=nosync'] : ['--debug-no-sync']),
        `--port=${port}`,
        `--socket=${path.join(folder, 'socket')}`,
        `--pid-file=${path.join(folder, 'pid')}`,
      ]
      const server = await ServerProcess.start(program, options, /: ready for connections/)
      return new MariaDb(isMySql, folder, port, server)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A new database that nobody else uses. @returns its name */
  async createDatabase(): Promise<string> {
    const name = `t_${++this.#databases}`
    // As texts are compared everywhere else: byte by byte, with the spaces at their end.
    const collation = this.#isMySql ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin'
    await this.#run(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE ${collation}`)
    return name
  }

  async dropDatabase(name: string): Promise<void> {
    await this.#run(`DROP DATABASE ${name}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #run(sql: string): Promise<void> {
    const connection = await createConnection(this.address)
    try {
      await connection.query(sql)
    } finally {
      await connection.end()
    }
  }
}

/** Root may connect over the port, without a password. */
const installed = ['--auth-root-authentication-method=normal', '--skip-test-db']

/**
 * As durable as a server is in earnest, so that a store can promise it; only the machine is not asked to sync (above).
 * Values of many megabytes are sent.
 */
const settings = [
  '--bind-address=127.0.0.1',
  '--skip-log-bin',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-doublewrite=OFF',
  '--innodb-buffer-pool-size=64M',
  '--max-allowed-packet=256M',
  '--performance-schema=OFF',
]

export const mariaDb: Service<MariaDb> = {
  name: 'MariaDB',
  programs: ['mariadbd', 'mysqld'],
  install,
  start: (program) => MariaDb.start(program),
}
