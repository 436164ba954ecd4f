/**
 * The least that reads off the main thread cost: Kysely in front, node:sqlite on as many threads as Tidemark has,
 * each request one message and each answer one, to whichever thread owes the fewest.
 */

import {
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
} from 'kysely'
import { Worker } from 'node:worker_threads'
import { COLUMNS, type Item, type OpenReadPeer } from './peer.ts'
import type { PoolReply, PoolRequest } from './pool-thread.ts'

interface Tables {
  items: Item
}

/** Kysely would run one query at a time, as for a driver with one connection. */
class PooledAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class PoolThread {
  readonly #worker: Worker
  readonly #waiting: PromiseWithResolvers<unknown[]>[] = []

  constructor(file: string) {
    this.#worker = new Worker(new URL('./pool-thread.ts', import.meta.url), { workerData: file })
    this.#worker.on('message', (reply: PoolReply) => {
      const asker = this.#waiting.shift()
      if (reply.kind === 'answer') asker?.resolve(reply.answer.rows)
      else asker?.reject(new Error(reply.message))
    })
  }

  get load(): number {
    return this.#waiting.length
  }

  query({ sql, parameters }: CompiledQuery): Promise<unknown[]> {
    const asker = Promise.withResolvers<unknown[]>()
    this.#waiting.push(asker)
    this.#worker.postMessage({ kind: 'query', sql, parameters } satisfies PoolRequest)
    return asker.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

export const pool: OpenReadPeer = async (file, _rows, { readers }) => {
  const threads = Array.from({ length: readers }, () => new PoolThread(file))
  const least = (): PoolThread => threads.reduce((best, thread) => (thread.load < best.load ? thread : best))
  const connection: DatabaseConnection = {
    executeQuery: async <R>(query: CompiledQuery) => ({ rows: (await least().query(query)) as R[] }),
    streamQuery: () => {
      throw new Error('nothing is streamed here')
    },
  }
  const nothing = async (): Promise<void> => undefined
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PooledAdapter(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createDriver: () => ({
        init: nothing,
        acquireConnection: async () => connection,
        beginTransaction: nothing,
        commitTransaction: nothing,
        rollbackTransaction: nothing,
        releaseConnection: nothing,
        destroy: nothing,
      }),
    },
  })
  return {
    sqliteVersion: String(process.versions['sqlite']),
    read: (id) =>
      db
        .selectFrom('items')
        .select(['id', ...COLUMNS])
        .where('id', '=', id)
        .executeTakeFirst(),
    readRange: (first, count) =>
      db
        .selectFrom('items')
        .select(['id', ...COLUMNS])
        .where('id', '>=', first)
        .orderBy('id')
        .limit(count)
        .execute(),
    close: async () => void (await Promise.all(threads.map((thread) => thread.close()))),
  }
}
