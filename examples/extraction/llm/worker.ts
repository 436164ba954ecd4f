/**
 * Takes requests from the stream and has the model answer them. It takes them as they come, however many: what is too much
 * the model refuses, and whoever asked adapts.
 *
 * A request belongs to whoever took it until it is answered. One whose taker is silent for `claimAfterMs` is taken over; what a
 * worker of this name had taken before it was started, at once. A reply that is there already is published again, without a call.
 */
import type { Redis } from 'ioredis'
import type { Model } from './model.ts'
import { answer, connect, count, names, type Reply, type Request } from './redis.ts'

export interface LlmWorkerOptions {
  readonly name: string
  /** Longer than any call takes. Default 15,000. */
  readonly claimAfterMs?: number
}

type Fields = readonly [entry: string, fields: readonly string[] | null]

const atOnce = 64
const blockMs = 1_000
const restMs = 250

export class LlmWorker {
  readonly #client: Redis
  /** Its commands wait for requests. */
  readonly #taker: Redis
  readonly #model: Model
  readonly #name: string
  readonly #claimAfterMs: number
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #ended: Promise<void>
  #isStopping = false

  constructor(url: string, model: Model, { name, claimAfterMs = 15_000 }: LlmWorkerOptions) {
    this.#client = connect(url)
    this.#taker = connect(url)
    this.#model = model
    this.#name = name
    this.#claimAfterMs = claimAfterMs
    this.#ended = this.#work()
  }

  /** Takes no more, and answers what it has. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#taker.disconnect()
    await this.#ended
    await Promise.all(this.#underWay.values())
    this.#client.disconnect()
  }

  async #work(): Promise<void> {
    let from = '0'
    let claimedMs = performance.now()
    while (!this.#isStopping) {
      try {
        if (from === '0') await this.#createGroup()
        const taken = await this.#take(from)
        // First what it had taken in an earlier life, then what is new.
        if (from === '0' && taken.length === 0) from = '>'
        else if (from !== '>') from = taken.at(-1)?.[0] ?? '>'
        for (const fields of taken) this.#begin(fields)
        if (performance.now() - claimedMs > Math.min(1_000, this.#claimAfterMs)) {
          claimedMs = performance.now()
          await this.#takeOver()
        }
      } catch {
        // Redis is gone, or has forgotten the group: begin as at the start.
        from = '0'
        if (!this.#isStopping) await new Promise((rested) => setTimeout(rested, restMs))
      }
    }
  }

  async #createGroup(): Promise<void> {
    try {
      await this.#client.xgroup('CREATE', names.requests, names.group, '0', 'MKSTREAM')
    } catch (error) {
      if (!(error as Error).message.startsWith('BUSYGROUP')) throw error
    }
  }

  async #take(from: string): Promise<readonly Fields[]> {
    const { requests, group } = names
    const found = await (from === '>'
      ? this.#taker.xreadgroup(
          'GROUP',
          group,
          this.#name,
          'COUNT',
          atOnce,
          'BLOCK',
          blockMs,
          'STREAMS',
          requests,
          '>',
        )
      : this.#taker.xreadgroup('GROUP', group, this.#name, 'COUNT', atOnce, 'STREAMS', requests, from))
    const [stream] = (found ?? []) as readonly (readonly [name: string, entries: readonly Fields[]])[]
    return stream?.[1] ?? []
  }

  async #takeOver(): Promise<void> {
    const { requests, group } = names
    const [, entries] = (await this.#client.xautoclaim(
      requests,
      group,
      this.#name,
      this.#claimAfterMs,
      '0',
      'COUNT',
      atOnce,
    )) as [next: string, entries: readonly Fields[]]
    for (const fields of entries) {
      // Its own that take long are not another's.
      if (this.#underWay.has(fields[0])) continue
      await count(this.#client, 'taken over')
      this.#begin(fields)
    }
  }

  #begin([entry, fields]: Fields): void {
    if (this.#underWay.has(entry)) return
    // Deleted, and still in the list of those that were taken.
    if (fields === null)
      return void this.#client.xack(names.requests, names.group, entry).catch(() => undefined)
    const request = { entry, id: valueOf(fields, 'id'), prompt: valueOf(fields, 'prompt') }
    const work = this.#answer(request)
      // It is still taken by this name, and comes again.
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(entry))
    this.#underWay.set(entry, work)
  }

  async #answer(request: Request): Promise<void> {
    const kept = await this.#client.get(names.reply(request.id))
    if (kept !== null) return await answer(this.#client, request, JSON.parse(kept) as Reply)
    const reply = await this.#model.call(request.prompt)
    if (reply.kind === 'done' || reply.kind === 'failed') await count(this.#client, 'calls')
    if (reply.kind !== 'done') await count(this.#client, reply.kind)
    await answer(this.#client, request, reply)
  }
}

function valueOf(fields: readonly string[], name: string): string {
  return fields[fields.indexOf(name) + 1] ?? ''
}
