/**
 * A client as a careful user writes one: what was not answered is sent again, with the same names, until it is. And readers, so that
 * there is something in the cache that may be old.
 */
import { ApiClient, ApiError } from '../client.ts'

export interface Given {
  readonly n: number
  readonly project: number
  readonly uri: string
}

/** An answer that takes longer is none. */
const timeoutMs = 5_000
const againMs = 100

export class CarefulClient {
  /** By the ids of their sources. */
  readonly accepted = new Map<string, Given>()
  readonly removed = new Map<string, Given>()
  /** Requests that were sent again, since there was no answer, or a server that could not do it now. */
  sentAgain = 0
  readonly #api: ApiClient

  constructor(url: string) {
    this.#api = new ApiClient(url, timeoutMs)
  }

  async createProject(name: string): Promise<number> {
    return await this.#untilAnswered(() => this.#api.createProject(name))
  }

  async submit(given: readonly Given[]): Promise<void> {
    const [first] = given
    if (first === undefined) return
    const uris = given.map(({ uri }) => uri)
    const { sources } = await this.#untilAnswered(() => this.#api.submit(first.project, uris))
    for (const [at, { id }] of sources.entries()) this.accepted.set(id, given[at] as Given)
  }

  async remove(id: string): Promise<void> {
    await this.#untilAnswered(async () => {
      try {
        await this.#api.remove(id)
      } catch (error) {
        // An earlier request did it, whose answer was lost.
        if (!(error instanceof ApiError) || error.status !== 404) throw error
      }
    })
    const given = this.accepted.get(id)
    this.accepted.delete(id)
    if (given !== undefined) this.removed.set(id, given)
  }

  /** Whether it was answered matters to nobody. */
  async look(project: number): Promise<void> {
    await this.#api.extractions(project).catch(() => undefined)
  }

  async #untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        // What it says of the request itself will not change.
        if (error instanceof ApiError && error.status < 500) throw error
        this.sentAgain++
        const retryMs = error instanceof ApiError ? (error.retryAfterMs ?? againMs) : againMs
        await new Promise((rested) => setTimeout(rested, retryMs))
      }
    }
  }
}
