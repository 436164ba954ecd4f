/**
 * The process that owns the file of vectors. One process opens it, so that it can be killed and started again by itself, and
 * workers and API speak to it over the loopback.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { listening } from '../listening.ts'
import { sqliteVec, type Effect } from '../tidemark.ts'
import { VectorList } from './list.ts'
import type { Calls, ChangeMessage, OutcomeMessage } from './messages.ts'

export interface VectorServer extends AsyncDisposable {
  readonly url: string
}

const table = 'extractions'
/** The limit of sqlite-vec. */
const mostAtOnce = 4_096

export async function serveVectors(file: string, dimensions: number, port = 0): Promise<VectorServer> {
  const target = sqliteVec(file, { table, dimensions })
  // It makes the tables.
  await target.probe(AbortSignal.timeout(10_000))
  const list = new VectorList(file, table)

  const calls: {
    [K in keyof Calls]: (request: Calls[K]['request']) => Promise<Calls[K]['answer']> | Calls[K]['answer']
  } = {
    deliver: async ({ changes }) => {
      const context = { signal: AbortSignal.timeout(20_000) }
      const outcomes = (await target.deliver(changes.map(effectOf), context)) ?? []
      return {
        outcomes: changes.map((_, at): OutcomeMessage => {
          const outcome = outcomes[at]
          if (outcome === undefined || outcome.kind === 'delivered') return { kind: 'delivered' }
          const error = outcome.error instanceof Error ? outcome.error.message : String(outcome.error)
          if (outcome.kind === 'dead') return { kind: 'dead', error }
          return { kind: 'retry', error, isOverload: outcome.isOverload ?? false }
        }),
      }
    },
    search: async ({ vector, project, most }) => {
      // It compares with all projects: as many as it takes until there are enough of this one.
      for (let asked = Math.min(mostAtOnce, most * 4); ; asked = Math.min(mostAtOnce, asked * 8)) {
        const found = await target.search(vector, asked)
        const hits = found
          .filter(({ metadata }) => projectIn(metadata) === project)
          .map(({ key: id, distance }) => ({ id, distance }))
          .slice(0, most)
        if (hits.length === most || found.length < asked || asked === mostAtOnce) return { hits }
      }
    },
    list: ({ after = '', most }) => {
      const vectors = list.page(after, most)
      const last = vectors.at(-1)
      return { vectors, ...(vectors.length === most && last !== undefined && { next: last.id }) }
    },
    known: ({ ids }) => ({ ids: list.known(ids) }),
    probe: async () => {
      await target.probe(AbortSignal.timeout(5_000))
      return {}
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = (request.url ?? '').slice(1)
    if (request.method !== 'POST' || !Object.hasOwn(calls, name))
      return send(response, 404, { problem: 'no such call' })
    // Only our own programs ask: what they send is of these types.
    const call = calls[name as keyof Calls] as (request: unknown) => Promise<object> | object
    send(response, 200, await call(await json(request)))
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) =>
      send(response, 500, { problem: error instanceof Error ? error.message : String(error) }),
    )
  })
  const { port: at, close } = await listening(server, port)
  return {
    url: `http://127.0.0.1:${at}`,
    [Symbol.asyncDispose]: async () => {
      await close()
      list.close()
      await target.close()
    },
  }
}

function effectOf({ effect, project, vector }: ChangeMessage): Effect {
  return {
    ...effect,
    committedAt: new Date(effect.committedAt),
    payload: vector === null ? { op: 'delete' } : { op: 'set', vector, metadata: { project } },
  }
}

function projectIn(metadata: unknown): number | undefined {
  return (metadata as { readonly project?: number } | null)?.project
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return void response.end()
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
