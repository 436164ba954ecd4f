/** What the routes have in common. */
import type { Agreement } from '../agreement/watch.ts'
import type { Stores } from '../agreement/compare.ts'
import type { Embedder } from '../embedder.ts'
import type { LlmQueue } from '../llm/queue.ts'
import type { Backpressure } from './backpressure.ts'

export interface Context extends Stores {
  readonly embedder: Embedder
  readonly llm: LlmQueue
  readonly agreement: Agreement
  readonly backpressure: Backpressure
}
