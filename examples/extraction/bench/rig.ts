/**
 * What is measured on: PostgreSQL with fsync, Redis, and the parts of the example as processes, all of its own and gone
 * afterwards. Every round has a database, a file of vectors and an LLM that nobody else has used.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Program } from '../../../test/support/program.ts'
import { embeddedPostgres, PostgresServer } from '../../../test/support/servers/postgres.ts'
import { redisServer, type RedisServer } from '../../../test/support/servers/redis.ts'
import { asHtml, asMarkdown, madeDocument } from '../made.ts'
import { programOf } from '../programs/program-of.ts'

const main = new URL('../main.ts', import.meta.url)

export interface Round extends AsyncDisposable {
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
  /** The options that lead there. */
  readonly reach: readonly string[]
  /** A part of the example, as a process that is killed with the round. */
  start(...command: readonly (string | number)[]): Program
  startWorkers(count: number, folder: string, readers?: number): Promise<void>
  startLlm(settings: { readonly latencyMs: number; readonly parallel: number }): Promise<void>
}

export class Rig implements AsyncDisposable {
  readonly folder: string
  readonly #postgres: PostgresServer
  readonly #redis: RedisServer

  private constructor(folder: string, postgres: PostgresServer, redis: RedisServer) {
    this.folder = folder
    this.#postgres = postgres
    this.#redis = redis
  }

  static async start(): Promise<Rig> {
    const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-extraction-bench-'))
    const postgres = await PostgresServer.start(programOf(embeddedPostgres), {
      fsync: 'on',
      shared_buffers: '128MB',
    })
    try {
      return new Rig(folder, postgres, await redisServer.start(programOf(redisServer)))
    } catch (error) {
      await postgres[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Made documents as files, by turns HTML and Markdown. @returns their names in `documents` of the folder */
  write(count: number, from = 0): string[] {
    mkdirSync(this.documents, { recursive: true })
    return Array.from({ length: count }, (_, at) => {
      const n = from + at
      const name = `${n}.${n % 2 === 0 ? 'html' : 'md'}`
      const made = madeDocument(1, n)
      writeFileSync(path.join(this.documents, name), n % 2 === 0 ? asHtml(made) : asMarkdown(made))
      return name
    })
  }

  get documents(): string {
    return path.join(this.folder, 'documents')
  }

  async round(): Promise<Round> {
    await this.#redis.client.flushall()
    const postgres = await this.#postgres.createDatabase()
    const state = mkdtempSync(path.join(this.folder, 'vectors-'))
    const programs: Program[] = []
    const start = (...command: readonly (string | number)[]): Program => {
      const program = new Program(main, command)
      programs.push(program)
      return program
    }
    const vectors = await start('vectors', '--state', state).said('vectors')
    const { url: redis } = this.#redis
    const reach = ['--postgres', postgres, '--redis', redis, '--vectors', vectors]
    return {
      postgres,
      redis,
      vectors,
      start,
      reach,
      startWorkers: async (count, folder, readers = 8) => {
        const options = [...reach, '--folder', folder, '--readers', readers]
        const names = Array.from({ length: count }, (_, n) => `worker-${n + 1}`)
        const workers = names.map((name) => start('worker', ...options, '--name', name))
        await Promise.all(workers.map((worker) => worker.said('working')))
      },
      startLlm: async ({ latencyMs, parallel }) => {
        const manners = ['--latency-ms', latencyMs, '--parallel', parallel, '--per-second', 1_000_000]
        await start('llm', '--redis', redis, ...manners).said('answering')
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(programs.map((program) => program.kill()))
        await this.#postgres.dropDatabase(postgres)
        rmSync(state, { recursive: true, force: true })
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis[Symbol.asyncDispose]()
    await this.#postgres[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
