/**
 * The Universal Sentence Encoder of @energetic-ai, which is a package of npm and asks no server, in threads of its own.
 * A token costs a tenth of a millisecond, also one that only fills up a shorter text: so texts of a length go together.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { EmbedderUnavailable, type Embedder } from './embedder.ts'
import type { ModelReply, ModelRequest } from './model-worker.ts'

export interface ModelOptions {
  /** Threads, each with a model of its own, which takes about 250 MB. Default: one a core, at most four. */
  readonly threads?: number
  /** Texts in one call of the model. Default 8: more of them gain nothing, and who is urgent waits for them. */
  readonly atOnce?: number
}

interface Job extends ModelRequest {
  readonly done: PromiseWithResolvers<readonly Float32Array[]>
}

/** Starts no thread before the first text. */
export function model({
  threads = Math.min(4, availableParallelism()),
  atOnce = 8,
}: ModelOptions = {}): Embedder {
  const urgent: Job[] = []
  const waiting: Job[] = []
  const workers = new Set<ModelThread>()
  let lastId = 0

  function next(): void {
    while (urgent.length + waiting.length > 0) {
      const idle = [...workers].find((worker) => worker.isIdle) ?? started()
      if (idle === undefined) return
      idle.run((urgent.shift() ?? waiting.shift()) as Job)
    }
  }

  function started(): ModelThread | undefined {
    if (workers.size >= threads) return undefined
    const worker = new ModelThread(next, () => workers.delete(worker))
    workers.add(worker)
    return worker
  }

  return {
    name: 'use-lite-512',
    dimensions: 512,
    async embed(texts, signal, isUrgent = false) {
      signal.throwIfAborted()
      const order = [...texts.keys()].toSorted((a, b) => length(texts, a) - length(texts, b))
      const vectors: Float32Array[] = []
      const jobs: Promise<void>[] = []
      for (let at = 0; at < order.length; at += atOnce) {
        const places = order.slice(at, at + atOnce)
        const done = Promise.withResolvers<readonly Float32Array[]>()
        const queue = isUrgent ? urgent : waiting
        queue.push({ id: ++lastId, texts: places.map((place) => texts[place] ?? ''), done })
        jobs.push(
          done.promise.then((found) => {
            for (const [index, place] of places.entries()) vectors[place] = found[index] as Float32Array
          }),
        )
      }
      next()
      await Promise.all(jobs)
      return vectors
    },
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.end()))
    },
  }
}

function length(texts: readonly string[], at: number): number {
  return texts[at]?.length ?? 0
}

class ModelThread {
  readonly #worker = new Worker(new URL('./model-worker.ts', import.meta.url))
  readonly #onIdle: () => void
  #job: Job | undefined

  constructor(onIdle: () => void, onEnd: () => void) {
    this.#onIdle = onIdle
    this.#worker.unref()
    this.#worker.on('message', (reply: ModelReply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#fail(String(error)))
    this.#worker.on('exit', () => {
      onEnd()
      this.#fail('its thread has ended')
      onIdle()
    })
  }

  get isIdle(): boolean {
    return this.#job === undefined
  }

  run(job: Job): void {
    this.#job = job
    this.#worker.ref()
    this.#worker.postMessage({ id: job.id, texts: job.texts } satisfies ModelRequest)
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #receive(reply: ModelReply): void {
    const job = this.#job
    this.#job = undefined
    this.#worker.unref()
    if ('vectors' in reply) job?.done.resolve(reply.vectors)
    else job?.done.reject(new Error(reply.problem))
    this.#onIdle()
  }

  #fail(problem: string): void {
    this.#job?.done.reject(new EmbedderUnavailable(`the model: ${problem}`))
    this.#job = undefined
  }
}
