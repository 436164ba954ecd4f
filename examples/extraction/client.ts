/** The API as the commands ask it. */
import type { Report } from './agreement/recover.ts'
import type { SourceStatus } from './api/status.ts'
import type { Listing } from './pipeline/listing.ts'
import type { Consistency } from './tidemark.ts'

export interface SearchAnswer {
  readonly hits: readonly {
    readonly id: string
    readonly uri: string
    readonly title: string
    readonly summary: string | null
    readonly distance: number
  }[]
  readonly outdated: number
}

export interface SubmitAnswer {
  readonly bookmark: string
  readonly sources: readonly { readonly id: string; readonly uri: string }[]
}

export class ApiError extends Error {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(status: number, message: string, retryAfterMs: number | undefined) {
    super(message)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>

export class ApiClient {
  readonly #url: string
  readonly #timeoutMs: number | undefined

  /** @param timeoutMs how long an answer may take; default: as long as it takes */
  constructor(url: string, timeoutMs?: number) {
    this.#url = url
    this.#timeoutMs = timeoutMs
  }

  async createProject(name: string): Promise<number> {
    return (await this.#ask<{ readonly id: number }>('POST', '/projects', {}, { name })).id
  }

  /** @throws when there is none */
  async newestProject(): Promise<number> {
    const { projects } = await this.#ask<{ readonly projects: readonly { readonly id: number }[] }>(
      'GET',
      '/projects',
      {},
    )
    if (projects[0] === undefined) throw new Error('There is no project yet: npm run extraction -- submit.')
    return projects[0].id
  }

  async submit(project: number, uris: readonly string[]): Promise<SubmitAnswer> {
    return await this.#ask('POST', `/projects/${project}/sources`, {}, { uris })
  }

  async remove(source: string): Promise<void> {
    await this.#ask('DELETE', `/sources/${source}`, {})
  }

  async extractions(project: number): Promise<Listing> {
    return await this.#ask('GET', `/projects/${project}/extractions`, {})
  }

  async search(
    project: number,
    q: string,
    query: {
      consistency?: Consistency
      after?: string
      sources?: string
      timeoutMs?: number
      limit?: number
    } = {},
  ): Promise<SearchAnswer> {
    return await this.#ask('GET', `/projects/${project}/search`, { q, ...query })
  }

  async status(source: string, consistency: Consistency = 'eventual'): Promise<SourceStatus> {
    return await this.#ask('GET', `/sources/${source}/status`, { consistency })
  }

  async recover(project: number, dryRun: boolean): Promise<Report> {
    return await this.#ask('POST', `/projects/${project}/extractions/recover`, { dryRun })
  }

  /** Red is an answer too. */
  async health(): Promise<unknown> {
    const response = await fetch(`${this.#url}/health`)
    return await response.json()
  }

  async #ask<T>(method: string, path: string, query: Query, body?: object): Promise<T> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    )
    const response = await fetch(`${this.#url}${path}?${new URLSearchParams(given).toString()}`, {
      method,
      ...(this.#timeoutMs !== undefined && { signal: AbortSignal.timeout(this.#timeoutMs) }),
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    const answer: unknown = await response.json()
    if (response.ok) return answer as T
    const { detail = '', hint = '' } = answer as { readonly detail?: string; readonly hint?: string }
    const retryAfter = response.headers.get('retry-after')
    throw new ApiError(
      response.status,
      [detail, hint].filter((part) => part !== '').join(' '),
      retryAfter === null ? undefined : Number(retryAfter) * 1_000,
    )
  }
}
