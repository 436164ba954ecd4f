/** The servers and the parts of one way, each to be killed with -9 and started again on the same port and data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PostgresServer, embeddedPostgres } from '../../../test/support/servers/postgres.ts'
import { freePort } from '../../../test/support/servers/process.ts'
import { RedisServer, redisServer } from '../../../test/support/servers/redis.ts'
import { programOf } from '../programs/program-of.ts'
import { Running, type Part } from '../programs/running.ts'
import { serveSite, type Site } from '../site.ts'
import { VectorWire } from './wire.ts'

export type Way = 'tidemark' | 'naive'

export const victims = ['postgres', 'redis', 'vectors', 'llm-1', 'api', 'worker-1', 'worker-2'] as const
export type Victim = (typeof victims)[number]

const replyMs = 3_000
/** Of the naive way: longer than any job takes that nobody killed. */
const staleMs = 8_000

export class Stage implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'tidemark-extraction-kill-'))
  /** How often each document was read. */
  readonly reads = new Map<number, number>()
  readonly lines: string[] = []
  #postgres: PostgresServer | undefined
  #redis: RedisServer | undefined
  #site: Site | undefined
  #wire: VectorWire | undefined
  #parts: readonly Running[] = []
  #api = ''
  #database = ''
  readonly #down = new Map<Victim, Promise<void>>()

  static async start(way: Way): Promise<Stage> {
    const stage = new Stage()
    try {
      await stage.#start(way)
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  get api(): string {
    return this.#api
  }

  get database(): string {
    return this.#database
  }

  get redis(): string {
    return there(this.#redis).url
  }

  get site(): string {
    return there(this.#site).url
  }

  get wire(): VectorWire {
    return there(this.#wire)
  }

  get vectorFile(): string {
    return path.join(this.folder, 'vectors.db')
  }

  /** Those that are up, of all that can be killed. */
  up(): Victim[] {
    return victims.filter((victim) => !this.#down.has(victim) && this.#part(victim)?.isUp !== false)
  }

  async untilUp(): Promise<void> {
    while (this.up().length < victims.length)
      await Promise.all([...this.#down.values(), ...this.#parts.map(({ isReady }) => isReady)])
  }

  /** Now. It comes again by itself: a part after a moment, a server after `downMs`. */
  kill(victim: Victim, downMs: number): void {
    this.say(`kill -9 ${victim}`)
    const part = this.#part(victim)
    if (part !== undefined) return part.kill()
    const [postgres, redis] = [there(this.#postgres), there(this.#redis)]
    const again = async (): Promise<void> => {
      await (victim === 'postgres' ? postgres : redis).kill()
      await new Promise((rested) => setTimeout(rested, downMs))
      await (victim === 'postgres' ? postgres.restart() : redis.startAgain())
      this.say(`${victim} is there again`)
    }
    const down = again().finally(() => this.#down.delete(victim))
    this.#down.set(victim, down)
  }

  /** The file of vectors is nobody's afterwards. */
  async stopParts(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()))
    this.#parts = []
  }

  say(line: string): void {
    this.lines.push(`${new Date().toISOString()} ${line}`)
  }

  /** What all parts have said, in a file that is not thrown away. */
  keepLog(file: string): void {
    writeFileSync(file, `${this.lines.join('\n')}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopParts()
    await Promise.allSettled(this.#down.values())
    for (const one of [this.#wire, this.#site, this.#redis, this.#postgres])
      await one?.[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #part(name: string): Running | undefined {
    return this.#parts.find((part) => part.name === name)
  }

  async #start(way: Way): Promise<void> {
    const kept = path.join(this.folder, 'redis')
    mkdirSync(kept)
    this.#postgres = await PostgresServer.start(programOf(embeddedPostgres), { fsync: 'on' })
    this.#database = await this.#postgres.createDatabase()
    const settings = { appendonly: 'yes', appendfsync: 'everysec', dir: kept }
    this.#redis = await RedisServer.start(programOf(redisServer), settings)
    this.#site = await serveSite(undefined, 0, (n) => this.reads.set(n, (this.reads.get(n) ?? 0) + 1))
    const [vectorsPort, apiPort] = [await freePort(), await freePort()]
    this.#wire = await VectorWire.before(`http://127.0.0.1:${vectorsPort}`)
    this.#api = `http://127.0.0.1:${apiPort}`
    this.#parts = this.#partsOf(way, vectorsPort, apiPort).map(
      (part) => new Running(part, (line) => this.say(line)),
    )
    await this.untilUp()
  }

  #partsOf(way: Way, vectorsPort: number, apiPort: number): Part[] {
    const [serve, work] = way === 'tidemark' ? ['serve', 'worker'] : ['naive-serve', 'naive-worker']
    const { redis } = this
    const stores = ['--postgres', this.#database, '--redis', redis]
    const reach = (name: string): string[] => [...stores, '--vectors', this.wire.urlOf(name)]
    const how = way === 'naive' ? ['--stale-ms', String(staleMs)] : []
    return [
      {
        name: 'vectors',
        command: ['vectors', '--state', this.folder, '--port', String(vectorsPort)],
        ready: 'vectors',
      },
      {
        name: 'llm-1',
        command: ['llm', '--redis', redis, '--name', 'llm-1', '--latency-ms', '50'],
        ready: 'answering',
      },
      { name: 'api', command: [serve, ...reach('api'), '--port', String(apiPort)], ready: 'api' },
      ...['worker-1', 'worker-2'].map((name) => ({
        name,
        command: [work, ...reach(name), '--name', name, '--reply-ms', String(replyMs), ...how],
        ready: 'working',
      })),
    ]
  }
}

function there<T>(one: T | undefined): T {
  if (one === undefined) throw new Error('the stage is not there')
  return one
}
