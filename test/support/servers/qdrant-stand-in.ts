/**
 * Stands in for Qdrant, of which no server can be had by npm or apt: a real HTTP server that does what Qdrant's
 * documentation says of the two operations that the target uses, and records what it is asked. It proves what the
 * target sends and makes of the answers, and nothing of Qdrant itself.
 */
import { HttpServer, type Answer, type Recorded } from './http.ts'

interface Point {
  readonly id: string
  readonly vector: readonly number[]
  readonly payload: { readonly tidemark: { readonly version: number } } & Readonly<Record<string, unknown>>
}
type Condition =
  | { readonly has_id: readonly string[] }
  | { readonly key: 'tidemark.version'; readonly range: { readonly lt: number } }
interface Filter {
  readonly must: readonly Condition[]
}
type Operation =
  | { readonly upsert: { readonly points: readonly Point[]; readonly update_filter: Filter } }
  | { readonly delete: { readonly filter: Filter } }

export class QdrantStandIn {
  readonly points = new Map<string, Point>()
  /** Overrides the next answers. */
  readonly answers: Answer[] = []
  version = '1.19.0'
  readonly #server: HttpServer
  readonly #dimensions: number

  private constructor(server: HttpServer, dimensions: number) {
    this.#server = server
    this.#dimensions = dimensions
  }

  static async start(dimensions: number): Promise<QdrantStandIn> {
    const server = await HttpServer.start((request) => standIn.#answer(request))
    const standIn = new QdrantStandIn(server, dimensions)
    return standIn
  }

  get url(): string {
    return this.#server.url
  }

  get batches(): readonly Recorded[] {
    return this.#server.requests.filter(({ path }) => path.includes('/points/batch'))
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  #answer({ method, path, body }: Recorded): Answer {
    if (path === '/') return { body: { title: 'a stand-in', version: this.version } }
    const scripted = this.answers.shift()
    if (scripted !== undefined) return scripted
    if (!path.startsWith('/collections/songs')) return refusal(404, "Not found: Collection doesn't exist!")
    if (method === 'GET') return { body: { result: { status: 'green' }, status: 'ok', time: 0 } }
    const { operations } = JSON.parse(body) as { readonly operations: readonly Operation[] }
    for (const operation of operations) {
      // As in Qdrant, what stands before the bad one is applied.
      const problem = this.#apply(operation)
      if (problem !== undefined) return refusal(400, problem)
    }
    const result = operations.map((_, index) => ({ operation_id: index, status: 'completed' }))
    return { body: { result, status: 'ok', time: 0 } }
  }

  #apply(operation: Operation): string | undefined {
    if ('delete' in operation) {
      for (const [id, point] of this.points) if (fits(operation.delete.filter, point)) this.points.delete(id)
      return undefined
    }
    for (const point of operation.upsert.points) {
      if (point.vector.length !== this.#dimensions)
        return `Wrong input: Vector dimension error: expected dim: ${this.#dimensions}, got ${point.vector.length}`
      const present = this.points.get(point.id)
      if (present === undefined || fits(operation.upsert.update_filter, present))
        this.points.set(point.id, point)
    }
    return undefined
  }
}

function fits({ must }: Filter, { id, payload }: Point): boolean {
  return must.every((condition) =>
    'has_id' in condition ? condition.has_id.includes(id) : payload.tidemark.version < condition.range.lt,
  )
}

export function refusal(status: number, error: string): Answer {
  return { status, body: { status: { error }, time: 0 } }
}
