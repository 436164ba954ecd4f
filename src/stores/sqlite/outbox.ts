/**
 * Sends batches to the writer's thread. Copying a message blocks the event loop, 512 KB of it for well under a
 * millisecond; so a larger batch goes in several messages, one a tick, and what comes behind it waits its turn.
 */
import type { Runtime } from '../../contracts/runtime.ts'
import type { Batch } from '../../contracts/store.ts'
import { splitSegments, splitSteps, type Requests } from './messages.ts'
import type { Thread } from './thread.ts'

type CommitAnswer = Requests['commit']['answer']

const maxMessageBytes = 512 * 1024

export class Outbox {
  readonly #runtime: Runtime
  #waiting: (() => void)[] = []

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  commit(thread: Thread, { prev, last, steps, segments }: Batch): Promise<CommitAnswer> {
    const messages = splitSteps(steps, maxMessageBytes)
    const pieces = messages.pop() ?? []
    const parcels = splitSegments(segments, maxMessageBytes)
    const rest = parcels.pop() ?? []
    if (messages.length === 0 && parcels.length === 0 && this.#waiting.length === 0)
      return thread.call('commit', { prev, last, pieces, segments: rest })
    const answer = Promise.withResolvers<CommitAnswer>()
    for (const early of messages)
      this.#enqueue(() => thread.tell({ kind: 'part', pieces: early, segments: [] }))
    for (const early of parcels)
      this.#enqueue(() => thread.tell({ kind: 'part', pieces: [], segments: early }))
    this.#enqueue(() => answer.resolve(thread.call('commit', { prev, last, pieces, segments: rest })))
    return answer.promise
  }

  #enqueue(post: () => void): void {
    this.#waiting.push(post)
    if (this.#waiting.length === 1) this.#pump()
  }

  #pump(): void {
    this.#waiting[0]?.()
    this.#runtime.atEndOfTick(() => {
      this.#waiting.shift()
      if (this.#waiting.length > 0) this.#pump()
    })
  }
}
