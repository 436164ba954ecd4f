/**
 * Stands before the process `vectors`: passes on what is asked, counts what is delivered again and why, and kills who asks at the
 * moments at which two stores differ. Each asker has a URL of its own, by which it is known.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listening } from '../listening.ts'
import type { Calls } from '../vectors/messages.ts'

type Changes = Calls['deliver']['request']['changes']

/** Before the store has it, or after; `removal`: before the store has removed a vector that it has. */
export type Moment = 'before' | 'after' | 'removal'

/** What became of a delivery, so that it came again. */
export type Fate = 'the store died' | 'who asked died' | 'answered, not acknowledged'

export interface Strike {
  readonly moment: Moment
  /** Only of vectors of such a project. */
  readonly isMeant: (project: number) => boolean
  readonly kill: (asker: string) => void
}

export class VectorWire implements AsyncDisposable {
  readonly repeats: Record<Fate, number> = {
    'the store died': 0,
    'who asked died': 0,
    'answered, not acknowledged': 0,
  }
  readonly #to: string
  readonly #fates = new Map<string, Fate>()
  #strike: (Strike & { readonly struck: PromiseWithResolvers<void> }) | undefined
  #server: Awaited<ReturnType<typeof listening>> | undefined

  private constructor(to: string) {
    this.#to = to
  }

  static async before(to: string): Promise<VectorWire> {
    const wire = new VectorWire(to)
    wire.#server = await listening(
      createServer((request, response) => void wire.#pass(request, response).catch(() => response.destroy())),
      0,
    )
    return wire
  }

  urlOf(asker: string): string {
    return `http://127.0.0.1:${this.#server?.port}/${asker}`
  }

  /** Kills whoever next delivers what is meant. @returns when it did */
  async strike(strike: Strike): Promise<void> {
    const struck = Promise.withResolvers<void>()
    this.#strike = { ...strike, struck }
    await struck.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close()
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, asker = '', call = ''] = (request.url ?? '').split('/')
    const body = await text(request)
    const changes = call === 'deliver' ? (JSON.parse(body) as Calls['deliver']['request']).changes : []
    for (const { effect } of changes) {
      const before = this.#fates.get(effect.id)
      if (before !== undefined) this.repeats[before]++
    }
    const moment = (await this.#isRemoval(changes)) ? 'removal' : 'before'
    if (this.#strikes(changes, moment, asker)) return void response.destroy()
    this.#become('the store died', changes)
    const answer = await fetch(`${this.#to}/${call}`, { method: 'POST', body })
    const answered = await answer.text()
    this.#become('who asked died', changes)
    if (this.#strikes(changes, 'after', asker)) return void response.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(answered, () => this.#become('answered, not acknowledged', changes))
  }

  #become(fate: Fate, changes: Changes): void {
    for (const { effect } of changes) this.#fates.set(effect.id, fate)
  }

  async #isRemoval(changes: Changes): Promise<boolean> {
    const removed = changes.filter(({ vector }) => vector === null)
    if (this.#strike?.moment !== 'removal' || removed.length === 0) return false
    const request: Calls['known']['request'] = { ids: removed.map(({ effect }) => effect.key ?? '') }
    const answer = await fetch(`${this.#to}/known`, { method: 'POST', body: JSON.stringify(request) })
    return ((await answer.json()) as Calls['known']['answer']).ids.length > 0
  }

  #strikes(changes: Changes, moment: Moment, asker: string): boolean {
    const strike = this.#strike
    const isMeant =
      strike?.moment === moment &&
      changes.some(
        ({ vector, project }) => moment === 'removal' || (vector !== null && strike.isMeant(project)),
      )
    if (strike === undefined || !isMeant) return false
    this.#strike = undefined
    this.#become('who asked died', changes)
    strike.kill(asker)
    strike.struck.resolve()
    return true
  }
}
