/**
 * kill -9 of those who write and deliver effects, of their target, and of the database under them. Afterwards all is
 * delivered, and what the target got is judged.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Program } from '../support/program.ts'
import { freePort } from '../support/servers/process.ts'
import { Violation } from './model.ts'
import { judge, parseDelivered, type Verdict } from './effects-verdict.ts'
import { randomFrom } from './workload.ts'

const names = ['a', 'b'] as const
type Name = (typeof names)[number]

export interface EffectsSite {
  /** What a worker opens. */
  readonly address: string
  /** For the file of what was delivered. */
  readonly folder: string
  readonly rows: (sql: string) => Promise<readonly Record<string, unknown>[]>
  /** Kills the database server, and starts it again. Undefined: there is none. */
  readonly outage: (() => Promise<void>) | undefined
}

export interface EffectsTally extends Verdict {
  readonly kills: Readonly<Record<'worker' | 'target' | 'database', number>>
  readonly acknowledged: number
}

/** @throws Violation */
export async function runEffects(site: EffectsSite, rounds: number, seed: number): Promise<EffectsTally> {
  const campaign = new Campaign(site, seed)
  return await campaign.run(rounds)
}

class Campaign {
  readonly #site: EffectsSite
  readonly #random: () => number
  readonly #file: string
  readonly #workers = new Map<Name, Program>()
  readonly #every: Program[] = []
  readonly #names = new Map<Program, string>()
  readonly #killed = { workers: new Set<string>(), targets: new Set<number>() }
  readonly #kills = { worker: 0, target: 0, database: 0 }
  #target: Program | undefined
  #targets = 0
  #rounds = 0
  #port = 0

  constructor(site: EffectsSite, seed: number) {
    this.#site = site
    this.#random = randomFrom(seed)
    this.#file = path.join(site.folder, 'delivered')
    writeFileSync(this.#file, '')
  }

  async run(rounds: number): Promise<EffectsTally> {
    this.#port = await freePort()
    try {
      await this.#startTarget()
      for (const name of names) await this.#startWorker(name, 1_000_000)
      for (let round = 0; round < rounds; round++) {
        await delay(50 + this.#random() * 350)
        await this.#killOne()
      }
      for (const name of names) await this.#killWorker(name)
      for (const name of names) await this.#startWorker(name, 0)
      for (const worker of this.#workers.values()) await worker.said('done')
      return await this.#judge()
    } finally {
      for (const program of [...this.#workers.values(), this.#target]) await program?.kill()
    }
  }

  async #killOne(): Promise<void> {
    const dice = this.#random()
    const { outage } = this.#site
    if (outage !== undefined && dice < 0.2) {
      this.#kills.database++
      await outage()
    } else if (dice < 0.5) {
      this.#kills.target++
      this.#killed.targets.add(this.#targets)
      await this.#target?.kill()
      await this.#startTarget()
    } else {
      const name = names[Math.floor(this.#random() * names.length)] as Name
      this.#kills.worker++
      await this.#killWorker(name)
      await this.#startWorker(name, 1_000_000)
    }
  }

  async #startTarget(): Promise<void> {
    const program = new URL('effects-target.ts', import.meta.url)
    this.#target = new Program(program, [this.#file, this.#port, ++this.#targets])
    await this.#target.said('ready')
  }

  async #startWorker(name: Name, rows: number): Promise<void> {
    const program = new URL('effects-worker.ts', import.meta.url)
    const worker = new Program(program, [this.#site.address, name, this.#port, ++this.#rounds, rows])
    this.#workers.set(name, worker)
    this.#every.push(worker)
    this.#names.set(worker, `${name}-${this.#rounds}`)
    await worker.said('open')
  }

  async #killWorker(name: Name): Promise<void> {
    const worker = this.#workers.get(name)
    if (!worker) return
    const { signal } = await worker.kill()
    if (signal !== 'SIGKILL') throw new Violation(`a worker ended by itself: ${worker.stderr}`)
    this.#killed.workers.add(this.#names.get(worker) ?? '')
  }

  async #judge(): Promise<EffectsTally> {
    const rows = new Map(
      (await this.#site.rows('SELECT id, acks FROM chunks')).map(({ id, acks }) => [
        String(id),
        Number(acks),
      ]),
    )
    const acknowledged = this.#every
      .flatMap(({ lines }) => lines)
      .filter((line) => line.startsWith('acknowledged '))
      .map((line) => line.slice('acknowledged '.length))
    for (const id of acknowledged)
      if (!rows.has(id)) throw new Violation(`row ${id} was acknowledged, and is not there`)
    for (const table of ['tidemark_segments', 'tidemark_effects']) {
      const [left] = await this.#site.rows(`SELECT count(*) AS n FROM ${table}`)
      if (Number(left?.['n']) !== 0) throw new Violation(`${String(left?.['n'])} rows are left in ${table}`)
    }
    const killed = { ...this.#killed, databases: this.#kills.database }
    const verdict = judge(parseDelivered(readFileSync(this.#file, 'utf8')), rows, killed)
    return { ...verdict, kills: this.#kills, acknowledged: acknowledged.length }
  }
}
