/** SurrealDB as the suite's subject: an embedded one in a folder of its own, spoken to in the suite's SQL. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createNodeEngines } from '@surrealdb/node'
import { RecordId, Surreal } from 'surrealdb'
import type { Run, Step } from '../../src/contracts/operation.ts'
import type { OpenedStore, SqlQuery, Store } from '../../src/contracts/store.ts'
import { surrealdb } from '../../src/stores/surrealdb/index.ts'
import type { Subject } from '../../src/testing/index.ts'
import { SurrealWords } from './surreal-words.ts'

export async function freshSurreal(): Promise<{ readonly client: Surreal; dispose(): Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-surreal-'))
  const client = new Surreal({ engines: createNodeEngines() })
  await client.connect(`surrealkv://${folder}/data`)
  // STRICT: a table that was removed is not made anew by whoever writes to it.
  await client.query('DEFINE NAMESPACE test; USE NS test; DEFINE DATABASE test STRICT')
  await client.use({ namespace: 'test', database: 'test' })
  return {
    client,
    dispose: async () => {
      await client.close()
      // The engine may be writing still.
      rmSync(folder, { recursive: true, force: true, maxRetries: 9 })
    },
  }
}

export const surrealSubject: Subject = {
  name: 'surrealdb',
  dialect: 'surrealql',
  commits: 'async',
  async fresh(schema) {
    const database = await freshSurreal()
    const { client } = database
    const words = new SurrealWords()
    for (const statement of schema) await client.query(words.translate(statement))
    return {
      store: inWordsOfTheSuite(surrealdb(client, { numbered: words.numbered }), words),
      outside: async (sql) => {
        const text = words.translate(sql)
        const answers = await client.query(text)
        const answer = answers.at(-1)
        // Of an empty table it counts nothing, instead of no rows.
        if (Array.isArray(answer) && answer.length === 0 && text.startsWith('SELECT count()'))
          return [{ count: 0 }]
        return (Array.isArray(answer) ? answer : []).map(plainRow)
      },
      dispose: () => database.dispose(),
    }
  },
}

function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => {
    if (value instanceof RecordId) return [name, value.id]
    return [name, value instanceof ArrayBuffer ? new Uint8Array(value) : (value ?? null)]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}

/** The suite hands engines its SQL too: what they run of it is said in SurrealQL on its way to the store. */
function inWordsOfTheSuite(store: Store, words: SurrealWords): Store {
  const asked = (query: SqlQuery): SqlQuery => ({ ...query, sql: words.translate(query.sql) })
  return {
    name: store.name,
    async open(writer, context) {
      const opened = await store.open(writer, context)
      const spoken: Partial<OpenedStore> = {
        commit: ({ prev, last, steps, segments }) =>
          opened.commit({ prev, last, segments, steps: steps.map((step) => stepIn(words, step)) }),
        query: (query, patience, where) => opened.query(asked(query), patience, where),
        snapshot: (query, required, patience) => opened.snapshot(asked(query), required, patience),
        begin: async (prev, timeoutMs) => {
          const transaction = await opened.begin(prev, timeoutMs)
          return {
            query: (query) => transaction.query(asked(query)),
            commit: (segments) => transaction.commit(segments),
            rollback: () => transaction.rollback(),
          }
        },
      }
      return new Proxy(opened, {
        get(target, name) {
          if (Object.hasOwn(spoken, name)) return spoken[name as keyof OpenedStore]
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    },
  }
}

function stepIn(words: SurrealWords, step: Step): Step {
  if (step.kind === 'run') return runIn(words, step)
  return { ...step, runs: step.runs.map((run) => runIn(words, run)) }
}

function runIn(words: SurrealWords, run: Run): Run {
  const { shape } = run
  return shape.kind === 'statement' ? { ...run, shape: { ...shape, sql: words.translate(shape.sql) } } : run
}
